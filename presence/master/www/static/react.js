// What Buildbot's UI hands to its plugins: its own copies, so that there is one of each.

export const {
  createContext,
  createElement: h,
  memo,
  useCallback,
  useContext,
  useDeferredValue,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} = window.React;
export const { createPortal } = window.ReactDOM;
export const { Link, useSearchParams } = window.ReactRouterDOM;
export const { useTopbarItems, buildbotGetSettings } = window.BuildbotUi;
export const { observer } = window.mobxReact;
export const config = window.buildbotFrontendConfig ?? {};
