// Generate: the routes' own parameters; a switch between directions and raw components; which picture of the seed.
tabs.generate = {
  route: "frame.png",

  start(form) {
    for (const name of ["reset", "first"]) {
      $(`[data-${name}]`, form).addEventListener("click", () => {
        const query = read("generate");
        for (const key of { reset: ["z", "raw", "psi"], first: ["first"] }[name]) query.delete(key);
        write(query);
        changed();
      });
    }
  },

  // The switch shows one kind of slider; both kinds stay in force.
  update(query, form) {
    const components = form.elements.noise.value === "components";
    $('[data-list="z"]', form).hidden = components;
    $('[data-list="raw"]', form).hidden = !components;
    const first = Number(query.get("first") ?? 0);
    $(".sample", form).hidden = first === 0;
    $("[data-sample]", form).textContent = say("sample", { n: first + 1 });
  },

  drawn(form) {
    form.elements.first.value = "0";
  },
};
