// A button that opens the dialog for an order of one worker, or of one builder.

import { h } from "../react.js";
import { isolated } from "../holds.js";

/** `text` is what it says, and `title`, with the name of the `entity` after it, what it does. */
export function orderButton(entity, onOrder, action, text, title) {
  return h(
    "button",
    {
      key: action,
      type: "button",
      className: "btn btn-sm btn-outline-secondary",
      title,
      "aria-label": `${title} ${isolated(entity.name)}`,
      onClick: () => onOrder(action, [entity]),
    },
    text,
  );
}
