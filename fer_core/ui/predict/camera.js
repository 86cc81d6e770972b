/* The camera's loop in the browser: shows the moving picture, has single frames looked at, and lays
   the boxes over it. It goes round Gradio's own streaming, which at every frame looks up every
   component that ever took part in an event, in a page of some hundreds.

   Called with the chosen checkpoint and the threshold of "unsure", in per cent. It ends, and the
   camera with it, as soon as the video is taken off the page or its tab is left. */
async (checkpoint, percent) => {
  const EVERY = 50; // milliseconds between two frames, longer where the answer takes longer
  const LONGEST_SIDE = 640;
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const part = (name) => document.querySelector(`#webcam-${name} [data-part]`);

  let video = null;
  for (let tries = 0; tries < 100 && !video; tries++) {
    video = document.querySelector("#webcam-camera video");
    if (!video) await wait(100);
  }
  if (!video) return;
  const over = part("over"), beside = part("live");
  const say = (text) => {
    over.innerHTML = "";
    beside.innerHTML = '<p class="summary"></p>';
    beside.firstChild.textContent = text;
  };

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
  const off = () => stream.getTracks().forEach((track) => track.stop());
  const shown = () => video.isConnected && video.getClientRects().length > 0;
  if (!shown()) return off();
  video.srcObject = stream;
  video.play().catch(() => {}); // not waited for: without a picture it never says that it plays

  const numbers = crypto.getRandomValues(new Uint8Array(12));
  const viewer = Array.from(numbers, (one) => one.toString(16).padStart(2, "0")).join("");
  const chosen = (window.cameraChoice = { checkpoint, percent });
  const config = window.gradio_config || {};
  const url = `${config.root || ""}${config.api_prefix || "/gradio_api"}/run/camera_frame`;
  const session_hash = video.dataset.session;
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
  const frame = () => {
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    pen.setTransform(-1, 0, 0, 1, canvas.width, 0); // as in a mirror, like the picture shown
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/jpeg", 0.85);
  };
  try {
    while (shown()) {
      const begun = performance.now();
      if (video.videoWidth && !document.hidden) {
        try {
          const answer = await fetch(url, asked(frame()));
          if (!answer.ok) throw new Error(answer.status);
          const [boxes, cards] = (await answer.json()).data[0];
          if (!shown()) break;
          over.innerHTML = boxes;
          if (cards) beside.innerHTML = cards;
        } catch {
          say("The computer that serves this page does not answer. Trying again.");
          await wait(1000);
        }
      }
      await wait(Math.max(0, EVERY - (performance.now() - begun)));
    }
  } finally {
    off();
    window.removeEventListener("pagehide", forget);
    forget();
  }
}
