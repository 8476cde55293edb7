// Say that a file is too large before it is sent.

for (const input of document.querySelectorAll("input[type=file][data-largest]")) {
  input.addEventListener("change", () => {
    const [file] = input.files;
    input.setCustomValidity(file && file.size > Number(input.dataset.largest) ? input.dataset.tooLarge : "");
    input.reportValidity();
  });
}
