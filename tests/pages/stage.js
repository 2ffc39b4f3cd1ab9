// What the scripts find in a page of Buildbot's when they are loaded; nothing of it is called here.

globalThis.window = { React: {}, ReactDOM: {}, ReactRouterDOM: {}, BuildbotUi: {}, mobxReact: {} };
