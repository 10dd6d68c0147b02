// Searches the index of all pages, which index.js has in `pages`: [title, address, brief, text].
"use strict";

const box = document.querySelector("main input");
const list = document.querySelector("#found");
const told = document.querySelector("#told");

// What a page is worth for these words; 0 when one of them is missing.
function worth([title, , brief, text], words) {
    let sum = 0;
    for (const word of words) {
        const name = title.toLowerCase();
        if (name === word) sum += 100;
        else if (name.startsWith(word) || name.includes("_" + word)) sum += 40;
        else if (name.includes(word)) sum += 20;
        else if (brief.toLowerCase().includes(word)) sum += 10;
        else if (text.includes(word)) sum += 1;
        else return 0;
    }
    return sum;
}

function search() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = !words.length ? [] : pages.map(page => [worth(page, words), page]).filter(([sum]) => sum > 0)
        .sort(([a, one], [b, other]) => b - a || one[0].localeCompare(other[0])).slice(0, 60);
    list.replaceChildren(...found.map(([, [title, address, brief]]) => {
        const item = document.createElement("li"), link = document.createElement("a"), text = document.createElement("span");
        link.href = address;
        link.textContent = title;
        text.className = "brief";
        text.textContent = " " + brief;
        item.append(link, text);
        return item;
    }));
    told.textContent = words.length ? `${found.length === 60 ? "The first 60" : found.length} found` : "";
}

box.value = new URLSearchParams(location.search).get("q") || "";
box.addEventListener("input", search);
search();
