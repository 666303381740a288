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
		{"door-conflict", w.host, at, 200, func(b *browserTab) {
			b.t.Helper()
			used, secret := w.mint(b.t, "undo", members{"name": hebrew}), w.mint(b.t, "undo", members{"pin": "4711"})
			w.redeem(b.t, used.Token, "nonce-of-another-gate")
			b.Loads(func() {
				if _, err := eval[int](b, `localStorage[door.dataset.queue] = JSON.stringify([`+quote(used.Code())+`, `+quote(secret.Code())+`].map(
					(code, i) => ({ code, nonce: "nonce-of-a-scan-" + i, noted: Date.now() }))),
					localStorage["door grace · hall"] = '[{"code": "0", "nonce": "0"}]', location.reload(), 1`); err != nil {
					b.t.Fatal(err)
				}
			})
			b.WaitVisible("#scans [data-verdict=pin_required] [data-dismiss]")
			b.WaitVisible("#scans [data-verdict=used] [data-dismiss]")
			b.WaitVisible("#others")
			if _, err := eval[int](b, `delete localStorage[door.dataset.queue], delete localStorage["door grace · hall"], dispatchEvent(new Event("offline")), 1`); err != nil {
				b.t.Fatal(err)
			}
			b.WaitVisible("#away .offline")
		}, ""},
	}
}
