// Clickable periodic table. Each element cycles: neutral -> must contain -> must not contain -> neutral.
// Python owns the choice; `data.revision` changes only when Python changes it (link opened, filters cleared), so a
// rerun that is still on its way never undoes a newer click.
const NEXT = { neutral: "required", required: "forbidden", forbidden: "neutral" };
const WORDS = { neutral: "no condition", required: "must contain", forbidden: "must not contain" };
const memory = new WeakMap();

function paint(cell, element, state) {
  cell.dataset.state = state;
  cell.setAttribute("aria-pressed", state === "neutral" ? "false" : state === "required" ? "true" : "mixed");
  const words = element.fixed ? "in every candidate" : element.count ? WORDS[state] : "in no candidate";
  const count = element.count.toLocaleString("en");
  cell.setAttribute("aria-label", `${element.name}, ${words}`);
  cell.title = element.count ? `${element.name} · ${count} candidates · ${words}` : `${element.name} · ${words}`;
}

function moveFocus(grid, cell, key) {
  const [dr, dc] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
  let row = Number(cell.dataset.row) + dr;
  let column = Number(cell.dataset.column) + dc;
  while (row >= 1 && row <= 9 && column >= 1 && column <= 18) {
    const next = grid.querySelector(`button[data-row="${row}"][data-column="${column}"]:not(:disabled)`);
    if (next) {
      cell.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      return;
    }
    row += dr;
    column += dc;
  }
}

function build(grid, elements, onClick) {
  grid.replaceChildren();
  const cells = new Map();
  for (const element of elements) {
    const cell = document.createElement("button");
    cell.type = "button";
    cell.textContent = element.symbol;
    cell.dataset.row = element.row;
    cell.dataset.column = element.column;
    cell.style.gridRow = element.row > 7 ? element.row + 1 : element.row;
    cell.style.gridColumn = element.column;
    cell.disabled = element.count === 0 || element.fixed;
    cell.tabIndex = -1;
    cell.onclick = () => onClick(element.symbol);
    cell.onkeydown = (event) => {
      if (!event.key.startsWith("Arrow")) return;
      event.preventDefault();
      moveFocus(grid, cell, event.key);
    };
    cells.set(element.symbol, cell);
    grid.append(cell);
  }
  const first = grid.querySelector("button:not(:disabled)");
  if (first) first.tabIndex = 0;
  return cells;
}

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const grid = parentElement.querySelector(".grid");
  let own = memory.get(grid);
  if (!own) {
    own = { choice: new Map(), revision: null, table: null };
    memory.set(grid, own);
  }
  const stateOf = (symbol) => own.choice.get(symbol) ?? "neutral";
  const repaint = () => {
    for (const element of data.elements) paint(own.cells.get(element.symbol), element, stateOf(element.symbol));
  };
  const click = (symbol) => {
    own.choice.set(symbol, NEXT[stateOf(symbol)]);
    repaint();
    const pick = (wanted) => [...own.choice].filter(([, state]) => state === wanted).map(([name]) => name);
    setStateValue("choice", { required: pick("required"), forbidden: pick("forbidden") });
  };
  if (own.table !== data.table) {
    own.cells = build(grid, data.elements, (symbol) => own.click(symbol));
    own.table = data.table;
  }
  own.click = click;
  if (own.revision !== data.revision) {
    own.revision = data.revision;
    own.choice = new Map();
    for (const symbol of data.required) own.choice.set(symbol, "required");
    for (const symbol of data.forbidden) own.choice.set(symbol, "forbidden");
  }
  repaint();
}
