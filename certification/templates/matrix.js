// Filters the rows. Without script the page shows all of them.
const field = (name) => document.getElementById(name);
const rows = [...document.querySelectorAll("section tbody tr")];

function filter() {
  const words = field("words").value.toLowerCase().split(/\s+/).filter(Boolean);
  const group = field("group").value;
  const method = field("method").value;
  const status = field("status").value;
  let shown = 0;
  for (const row of rows) {
    const data = row.dataset;
    const fits =
      words.every((word) => data.words.includes(word)) &&
      (!group || data.group === group) &&
      (!method || data.method.split(" ").includes(method)) &&
      (!status || data.status === status);
    row.classList.toggle("out", !fits);
    shown += fits;
  }
  for (const section of document.querySelectorAll("section")) {
    section.classList.toggle("out", !section.querySelector("tbody tr:not(.out)"));
  }
  field("count").textContent = `${shown} of ${rows.length}`;
}

field("filters").addEventListener("input", filter);
field("filters").addEventListener("submit", (event) => event.preventDefault());
// A link to a row that is filtered away shows it.
window.addEventListener("hashchange", () => {
  const row = document.getElementById(location.hash.slice(1));
  if (row && row.classList.contains("out")) {
    field("filters").reset();
    filter();
    row.scrollIntoView();
  }
});
filter();
