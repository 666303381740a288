package main

// passkeyPages are those on which passkeys are made.
func (w *world) passkeyPages() []met {
	const at = "/account/passkeys"
	return []met{
		{"passkeys", w.host, at, 200, nil, ""},
		{"passkeys-refused", w.host, at, 422, func(b *browserTab) { b.post(at+"/request", "password", "x") }, ""},
		{"passkeys-new", w.host, at, 200, func(b *browserTab) { b.post(at+"/request", "password", hostPassword) }, ""},
	}
}
