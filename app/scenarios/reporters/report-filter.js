const filter = document.querySelector('#filter');
const results = [...document.querySelectorAll('.result')];

function show() {
  const wanted = [...new FormData(filter)].filter(([, value]) => value !== '');
  for (const one of results) {
    one.hidden = !wanted.every(([name, value]) => one.dataset[name] === value);
  }
  const left = results.filter((one) => !one.hidden).length;
  filter.querySelector('output').textContent = `${left} of ${results.length}`;
}

filter.hidden = false;
filter.addEventListener('input', show);
show();
