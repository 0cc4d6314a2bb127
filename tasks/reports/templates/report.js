// Choose the language: the address's #zh or #en, else the reader's own. Without script the page opens in Chinese.
const own = navigator.language.startsWith("zh") ? "zh" : "en";
const wanted = { "#zh": "zh", "#en": "en" }[location.hash] ?? own;
const choose = (language) => {
  document.getElementById("choose-" + language).checked = true;
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  document.title = document.body.dataset[language];
};
choose(wanted);
for (const language of ["zh", "en"]) {
  document.getElementById("choose-" + language).addEventListener("change", () => choose(language));
}
