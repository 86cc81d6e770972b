/* The camera's loop in the browser: shows the moving picture, has single frames looked at, and lays
   the boxes over it. It goes round Gradio's own streaming, which at every frame looks up every
   component that ever took part in an event, in a page of some hundreds.

   Called with the chosen checkpoint and the threshold of "unsure", in per cent. It ends, and the
   camera with it, when no video is shown any more: its part was switched off, or its tab left.
   While Gradio sets the part up it may replace the video, so it is looked for again every time. */
async (checkpoint, percent) => {
  const EVERY = 50; // milliseconds between two frames, longer where the answer takes longer
  const FIRST = 10000, GONE = 500; // milliseconds until a video that is not shown ends the loop
  const LONGEST_SIDE = 640;
  const turn = (window.cameraTurn = (window.cameraTurn || 0) + 1); // a later start ends this one
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const put = (name, html) => {
    const place = document.querySelector(`#webcam-${name} [data-part]`);
    if (place) place.innerHTML = html;
    return place;
  };
  const say = (text) => {
    put("over", "");
    const place = put("live", '<p class="summary"></p>');
    if (place) place.firstChild.textContent = text;
  };
  const shown = () => {
    const video = document.querySelector("#webcam-camera video");
    return turn === window.cameraTurn && video?.getClientRects().length ? video : null;
  };
  const shownWithin = async (milliseconds) => {
    const end = performance.now() + milliseconds;
    while (!shown() && performance.now() < end) await wait(50);
    return shown();
  };

  const session_hash = (await shownWithin(FIRST))?.dataset.session; // of the page, for all videos
  if (session_hash === undefined) return;
  const REFUSED = {
    NotAllowedError: "The browser did not lend the camera. Allow it for this page (the camera " +
      "sign beside the address), then turn it off and on here.",
    NotFoundError: "No camera was found. Plug one in, then turn it off and on here.",
    NotReadableError: "Another program uses the camera. Close it, then turn it off and on here.",
    SecurityError: "Browsers lend a camera only to pages on this computer or behind https. Open " +
      "the page under such an address, or use the Photo tab.",
  };
  let stream = null;
  try {
    if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
    const size = { width: { ideal: 640 }, height: { ideal: 480 } };
    stream = await navigator.mediaDevices.getUserMedia({ video: size, audio: false });
  } catch (error) {
    say(REFUSED[error.name] || `The camera could not be opened (${error.name}).`);
    return;
  }

  const numbers = crypto.getRandomValues(new Uint8Array(12));
  const viewer = Array.from(numbers, (one) => one.toString(16).padStart(2, "0")).join("");
  const chosen = (window.cameraChoice = { checkpoint, percent });
  const config = window.gradio_config || {};
  const url = `${config.root || ""}${config.api_prefix || "/gradio_api"}/run/camera_frame`;
  const asked = (picture) => ({
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      data: [viewer, picture, chosen.checkpoint, chosen.percent],
      session_hash,
    }),
  });
  const forget = () => { fetch(url, { ...asked(""), keepalive: true }).catch(() => {}); };
  window.addEventListener("pagehide", forget, { once: true });

  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const frame = (video) => {
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    pen.setTransform(-1, 0, 0, 1, canvas.width, 0); // as in a mirror, like the picture shown
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/jpeg", 0.85);
  };
  try {
    let video;
    while ((video = await shownWithin(GONE))) {
      const begun = performance.now();
      if (video.srcObject !== stream) {
        video.srcObject = stream;
        video.play().catch(() => {}); // not waited for: without a picture it never says it plays
      }
      if (video.videoWidth && !document.hidden) {
        try {
          const answer = await fetch(url, asked(frame(video)));
          if (!answer.ok) throw new Error(answer.status);
          const [boxes, cards] = (await answer.json()).data[0];
          if (!shown()) continue;
          put("over", boxes);
          if (cards) put("live", cards);
        } catch {
          say("The computer that serves this page does not answer. Trying again.");
          await wait(1000);
        }
      }
      await wait(Math.max(0, EVERY - (performance.now() - begun)));
    }
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    window.removeEventListener("pagehide", forget);
    forget();
  }
}
