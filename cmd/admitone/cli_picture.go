package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"admitone/tokens"
)

// picture is where a new invitation's QR code goes: nowhere, the terminal, or a
// file. That is a link, so whatever stood at the file's name gives way to a new
// file that its owner alone may read; where the name was a symbolic link, what
// that led to stays as it is.
type picture struct {
	p    *program
	to   string   // empty for nowhere, - for the terminal
	file *os.File // beside its place until it is whole
}

// picture makes sure that the QR code can be written to where the option says.
func (p *program) picture(to string) (*picture, error) {
	out := &picture{p: p, to: to}
	if to == "" || to == "-" {
		return out, nil
	}
	if info, err := os.Lstat(to); err == nil && !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeSymlink {
		return nil, fmt.Errorf("%s is no file", to)
	}
	var err error
	out.file, err = os.CreateTemp(filepath.Dir(to), ".qr-*") // with the mode 0600
	return out, err
}

// pictureKind is .png or .svg, empty for a file whose name ends in neither.
func pictureKind(name string) string {
	if kind := strings.ToLower(filepath.Ext(name)); kind == ".png" || kind == ".svg" {
		return kind
	}
	return ""
}

// draw draws the QR code of the short link.
func (out *picture) draw(h *house, inv tokens.Invitation) error {
	switch out.to {
	case "":
		return nil
	case "-":
		code, err := tokens.ShortQR(h.invitations.Links.Short(inv))
		if err != nil {
			return err
		}
		return out.p.printf("%s", code.Text())
	}
	drawn, err := h.invitations.Links.Picture(inv, "", pictureKind(out.to), 1024)
	if err != nil {
		return err
	}
	_, err = out.file.Write(drawn)
	if err = errors.Join(err, out.file.Close()); err == nil {
		err = os.Rename(out.file.Name(), out.to)
	}
	if err != nil {
		return fmt.Errorf("--qr: the link is good, its picture could not be written: %w", err)
	}
	out.file = nil
	return nil
}

// drop removes what was not finished.
func (out *picture) drop() {
	if out.file != nil {
		_ = out.file.Close()
		_ = os.Remove(out.file.Name())
	}
}
