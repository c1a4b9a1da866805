"use strict";

(() => {
  const { classes, videos } = JSON.parse(document.getElementById("videos-data").textContent);
  const NAMES = { spatial: "Frames", temporal: "Flow", fused: "Both, fused" };
  // So many more are shown at a time, as thousands at once would make the page slow.
  const STEP = 24;
  const form = document.getElementById("video-controls");
  const list = document.getElementById("video-list");
  const count = document.getElementById("video-count");
  const more = document.getElementById("video-more");
  let found = [];
  let shown = 0;

  const isRight = (video, system) => video.top[system][0][0] === video.label;
  const percent = (score) => (100 * score).toFixed(1) + "%";

  const STREAMS = {
    both: (spatial, temporal) => spatial && temporal,
    spatial: (spatial, temporal) => spatial && !temporal,
    temporal: (spatial, temporal) => !spatial && temporal,
    neither: (spatial, temporal) => !spatial && !temporal,
  };

  const byName = (a, b) => a.label - b.label || (a.file < b.file ? -1 : a.file > b.file ? 1 : 0);
  const ORDERS = {
    file: byName,
    low: (a, b) => a.true.fused - b.true.fused || byName(a, b),
    high: (a, b) => b.true.fused - a.true.fused || byName(a, b),
    sure: (a, b) =>
      isRight(a, "fused") - isRight(b, "fused") || b.top.fused[0][1] - a.top.fused[0][1] || byName(a, b),
  };

  function element(name, content, properties) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...[content].flat());
    return made;
  }

  function answers(video, system) {
    const right = isRight(video, system);
    const items = video.top[system].map(([label, score]) => {
      const bar = element("span", [], { className: "bar" });
      bar.style.width = 100 * score + "%";
      const name = element("span", classes[label], { className: "name" });
      const kind = label === video.label ? "answer true" : "answer";
      return element("li", [bar, name, element("span", percent(score), { className: "score" })], { className: kind });
    });
    const verdict = element("span", right ? "✓ right" : "✗ wrong", { className: right ? "yes" : "no" });
    const told = [element("h4", [NAMES[system] + " ", verdict]), element("ol", items)];
    if (!video.top[system].some(([label]) => label === video.label)) {
      told.push(element("p", "true class: " + percent(video.true[system]), { className: "note" }));
    }
    return element("div", told, { className: "answers " + system });
  }

  function shot(content, alternative, caption) {
    const image = element("img", [], { src: "data:image/jpeg;base64," + content, alt: alternative });
    return element("figure", [image, element("figcaption", caption)]);
  }

  function pictures(video) {
    if (!("frame" in video)) {
      return element("p", "No picture, so that the file stays small.", { className: "note" });
    }
    const frame = shot(video.frame, "frame of a video of " + classes[video.label], "frame " + (video.number + 1));
    const reach = "flow, up to " + video.deepest.toFixed(1) + " px";
    return element("div", [frame, shot(video.flow, "its optical flow in colour", reach)], { className: "shots" });
  }

  function card(video) {
    const heading = element("h3", [classes[video.label], element("small", video.file)]);
    const told = Object.keys(NAMES).map((system) => answers(video, system));
    return element("article", [heading, pictures(video), ...told], { className: "video" });
  }

  function showMore() {
    const next = found.slice(shown, shown + STEP).map(card);
    list.append(...next);
    shown += next.length;
    more.hidden = shown >= found.length;
    count.textContent = `${found.length} of ${videos.length} videos, ${shown} of them shown`;
    return next[0];
  }

  function choose() {
    const chosen = Object.fromEntries(new FormData(form));
    found = videos.filter((video) => {
      const streams = STREAMS[chosen.streams];
      return (
        (chosen.class === "" || video.label === Number(chosen.class)) &&
        (chosen.fused === "" || isRight(video, "fused") === (chosen.fused === "right")) &&
        (!streams || streams(isRight(video, "spatial"), isRight(video, "temporal")))
      );
    });
    found.sort(ORDERS[chosen.order]);
    list.replaceChildren();
    shown = 0;
    showMore();
  }

  form.addEventListener("change", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The fields have their first values only after the event.
  form.addEventListener("reset", () => setTimeout(choose));
  more.addEventListener("click", () => {
    // Whoever goes by the keyboard goes on at the first video that was added.
    const first = showMore();
    first.tabIndex = -1;
    first.focus();
  });
  choose();
})();
