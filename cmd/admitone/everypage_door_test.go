package main

// doorPages are the door's, as the script draws its answers and without one.
func (w *world) doorPages() []met {
	const at = "/rooms/undo/door"
	says := func(b *browserTab, code, verdict string) {
		b.t.Helper()
		b.Fill("#door-code", code)
		b.Click("#typed button")
		b.WaitVisible(`#answer [data-verdict="` + verdict + `"]`)
	}
	return []met{
		{"door", w.host, at, 200, nil, ""},
		{"door-admitted", w.host, at, 200, func(b *browserTab) {
			says(b, w.mint(b.t, "undo", members{"name": hebrew + " " + endless[:150], "max_uses": 3}).Short, "admitted")
		}, ""},
		{"door-undone", w.host, at, 200, func(b *browserTab) {
			says(b, w.mint(b.t, "undo", members{"name": "Zoë"}).Short, "admitted")
			b.Click("#answer form button")
			b.WaitVisible("#answer [data-verdict=returned]")
		}, ""},
		{"door-pin", w.host, at, 200, func(b *browserTab) {
			says(b, w.mint(b.t, "undo", members{"pin": "4711"}).Short, "pin_required")
			b.Press("1234")
			b.Click("#answer form button")
			b.WaitVisible("#answer [data-verdict=pin_wrong]")
		}, ""},
		{"door-elsewhere", w.host, at, 200, func(b *browserTab) { says(b, w.inv["hebrew"].Short, "wrong_room") }, ""},
		{"door-unknown", w.host, at, 200, func(b *browserTab) { says(b, "nothing of ours", "invalid_link") }, ""},
		{"door-without-script", w.host, at, 200, func(b *browserTab) {
			b.Fill("#door-code", w.mint(b.t, "undo", members{"name": "Zoë"}).Short)
			b.Loads(func() {
				if _, err := eval[int](b, `document.getElementById("typed").submit(), 1`); err != nil {
					b.t.Fatal(err)
				}
			})
		}, ""},
	}
}
