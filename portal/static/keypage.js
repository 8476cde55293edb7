// The key step: make the key here, save it encrypted, send the request alone.

import { pem } from "./der.js";
import { certificationRequest, makeKeys } from "./pkcs10.js";
import { encryptedPrivateKey, SHORTEST_PASSPHRASE } from "./pkcs8.js";

const byId = (id) => document.getElementById(id);
const maker = byId("maker");
const passphrase = byId("passphrase");
const again = byId("again");
const make = byId("make");
let unsent = false;

if (globalThis.isSecureContext && globalThis.crypto?.subtle) {
  maker.hidden = false;
  byId("unable").hidden = true;
  make.addEventListener("click", onMake);
  byId("send").addEventListener("submit", () => {
    unsent = false;
  });
  addEventListener("beforeunload", (event) => {
    if (unsent) event.preventDefault();
  });
}

function tell(field, message) {
  const line = byId(`${field.id}-error`);
  line.textContent = message;
  line.hidden = !message;
  if (message) {
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", line.id);
  } else {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  return !message;
}

function passphraseFits() {
  // Characters as people count them, not UTF-16 units.
  const long = [...passphrase.value.normalize("NFC")].length >= SHORTEST_PASSPHRASE;
  const fits = tell(passphrase, long ? "" : maker.dataset.tooShort);
  const same = tell(again, !long || passphrase.value === again.value ? "" : maker.dataset.differ);
  if (!fits) passphrase.focus();
  else if (!same) again.focus();
  return fits && same;
}

async function onMake() {
  byId("failure").hidden = true;
  if (!passphraseFits()) return;
  make.disabled = true;
  byId("working").hidden = false;
  try {
    await madeKey(byId("algorithm").value);
  } catch {
    byId("failure").textContent = maker.dataset.failed;
    byId("failure").hidden = false;
    make.disabled = false;
  } finally {
    byId("working").hidden = true;
  }
}

async function madeKey(algorithm) {
  const number = maker.dataset.number;
  const keys = await makeKeys(algorithm);
  const request = await certificationRequest(keys, algorithm, number);
  const sealed = await encryptedPrivateKey(keys.privateKey, passphrase.value);
  passphrase.value = "";
  again.value = "";
  const file = new Blob([pem("ENCRYPTED PRIVATE KEY", sealed)], { type: "application/x-pem-file" });
  const link = byId("keyfile");
  link.href = URL.createObjectURL(file);
  link.download = `${number}-key.pem`;
  byId("made-request").value = pem("CERTIFICATE REQUEST", request);
  unsent = true;
  for (const one of [passphrase, again, byId("algorithm")]) one.disabled = true;
  byId("made").hidden = false;
  link.click();
  byId("send").querySelector("button").focus();
}
