// The page's colours, from the variables that Streamlit sets on every component.

export function readTheme(host) {
  const style = getComputedStyle(host);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  return {
    background: read('--st-background-color', '#ffffff'),
    line: read('--st-text-color', '#555555'),
  };
}
