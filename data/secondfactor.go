package data

import (
	"context"
	"encoding/base64"
	"time"

	"admitone/rooms"
	"admitone/rooms/audit"
	"admitone/rooms/hosts"
)

// What the claims of a second factor are used for.
const (
	stepUse     = "totp"
	recoveryUse = "recovery"
)

// stepsKept is how long a step counts as used, should the clock be set back.
const stepsKept = 24 * time.Hour

const requireFactor = "require_second_factor"

func scanFactor(row rowScanner) (f hosts.Factor, err error) {
	var box string
	if err := row.Scan(&f.Host, &box, &f.Since, &f.Left); err != nil {
		return f, err
	}
	f.Box, err = base64.StdEncoding.DecodeString(box)
	return f, err
}

// Factor implements hosts.Factors.
func (s *Hosts) Factor(ctx context.Context, host string) (hosts.Factor, error) {
	f, err := scanFactor(s.db.row(ctx, `SELECT host, box, since, (SELECT COUNT(*) FROM recovery_codes r WHERE r.host = f.host
		AND NOT EXISTS (SELECT 1 FROM once WHERE used_for = $2 AND once.hash = r.hash)) FROM second_factors f WHERE host = $1`, host, recoveryUse))
	return f, none(err, rooms.ErrNotFound)
}

// Factors implements hosts.Factors.
func (s *Hosts) Factors(ctx context.Context) ([]hosts.Factor, error) {
	return list(ctx, s.db, scanFactor, `SELECT host, box, since, 0 FROM second_factors ORDER BY host`)
}

// Standing implements hosts.Factors.
func (s *Hosts) Standing(ctx context.Context) (hosts.Standing, error) {
	out := hosts.Standing{On: map[string]bool{}, Spared: map[string]string{}}
	type row struct{ kind, name, value string }
	rows, err := list(ctx, s.db, func(r rowScanner) (x row, err error) { return x, r.Scan(&x.kind, &x.name, &x.value) },
		`SELECT 'on', host, '' FROM second_factors UNION ALL SELECT 'on', host, '' FROM passkeys UNION ALL SELECT 'spared', host, spared FROM host_epochs WHERE spared <> ''
			UNION ALL SELECT 'setting', name, value FROM settings WHERE name = $1`, requireFactor)
	for _, r := range rows {
		switch r.kind {
		case "on":
			out.On[r.name] = true
		case "spared":
			out.Spared[r.name] = r.value
		case "setting":
			out.Required = r.value == "true"
		}
	}
	return out, err
}

// Enable implements hosts.Factors.
func (s *Hosts) Enable(ctx context.Context, f hosts.Factor, first hosts.Confirmed, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if err := t.one(hosts.ErrTwoFactorOn, `INSERT INTO second_factors (host, box, since) VALUES ($1, $2, $3) ON CONFLICT (host) DO NOTHING`,
			f.Host, base64.StdEncoding.EncodeToString(f.Box), f.Since); err != nil {
			return err
		}
		if ok, err := t.once(stepUse, first.Step, ev.At); err != nil || !ok {
			return orInvalid(err)
		}
		if err := t.recovery(f.Host, first.Recovery); err != nil {
			return err
		}
		if err := s.db.endSignIns(t, f.Host, first.Keep, ev); err != nil {
			return err
		}
		return t.record(s.db.ids, ev)
	})
}

// orInvalid is the refusal of a code that was used, unless there is another error.
func orInvalid(err error) error {
	if err == nil {
		err = hosts.ErrInvalidTwoFactor
	}
	return err
}

// recovery replaces a host's recovery codes. The codes go before what says that
// they were used: who is using one waits here, and then finds it gone.
func (t *tx) recovery(host string, codes []string) error {
	if _, err := t.exec(`DELETE FROM recovery_codes WHERE host = $1`, host); err != nil {
		return err
	}
	for _, code := range codes {
		if _, err := t.exec(`INSERT INTO recovery_codes (host, hash) VALUES ($1, $2)`, host, code); err != nil {
			return err
		}
	}
	_, err := t.exec(`DELETE FROM once WHERE used_for = $1 AND NOT EXISTS (SELECT 1 FROM recovery_codes WHERE recovery_codes.hash = once.hash)`, recoveryUse)
	return err
}

// UseStep implements hosts.Factors.
func (s *Hosts) UseStep(ctx context.Context, step string, at int64) (first bool, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM once WHERE used_for = $1 AND at < $2`, stepUse, at-stepsKept.Milliseconds()); err != nil {
			return err
		}
		first, err = t.once(stepUse, step, at)
		return err
	})
	return first && err == nil, err
}

// UseRecovery implements hosts.Factors.
func (s *Hosts) UseRecovery(ctx context.Context, host, code string, at int64, ev audit.Event) (first bool, err error) {
	err = s.db.write(ctx, func(t *tx) error {
		// Locks the row, so that the codes are not replaced in between.
		n, err := t.exec(`UPDATE recovery_codes SET hash = hash WHERE host = $1 AND hash = $2`, host, code)
		if err != nil || n == 0 {
			return err
		}
		if first, err = t.once(recoveryUse, code, at); err != nil {
			return err
		}
		if !first {
			return hosts.ErrReplayed
		}
		return t.record(s.db.ids, ev)
	})
	return first && err == nil, err
}

// Recover implements hosts.Factors.
func (s *Hosts) Recover(ctx context.Context, host string, codes []string, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		if err := t.one(rooms.ErrNotFound, `UPDATE second_factors SET since = since WHERE host = $1`, host); err != nil {
			return err
		}
		if err := t.recovery(host, codes); err != nil {
			return err
		}
		return t.record(s.db.ids, ev)
	})
}

// Disable implements hosts.Factors.
func (s *Hosts) Disable(ctx context.Context, host string, end bool, ev audit.Event) error {
	return s.db.write(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM second_factors WHERE host = $1`, host)
		if err != nil {
			return err
		}
		if end {
			keys, err := t.removePasskeys(host)
			if err != nil {
				return err
			}
			n += keys
		}
		if n == 0 {
			return rooms.ErrNotFound
		}
		if err := t.recovery(host, nil); err != nil {
			return err
		}
		if end {
			if err := s.db.endSignIns(t, host, hosts.Kept{}, ev); err != nil {
				return err
			}
		}
		return t.record(s.db.ids, ev)
	})
}

// Require implements hosts.Factors.
func (s *Hosts) Require(ctx context.Context, required bool, ev audit.Event) error {
	value := ""
	if required {
		value = "true"
	}
	return s.db.write(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, requireFactor, value); err != nil {
			return err
		}
		return t.record(s.db.ids, ev)
	})
}

// Reseal implements hosts.Factors.
func (s *Hosts) Reseal(ctx context.Context, f hosts.Factor) error {
	return s.db.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE second_factors SET box = $2 WHERE host = $1 AND since = $3`, f.Host, base64.StdEncoding.EncodeToString(f.Box), f.Since)
		return err
	})
}
