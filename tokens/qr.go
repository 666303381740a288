package tokens

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/skip2/go-qrcode"

	"admitone/rooms"
)

// QR is a code drawn as modules, true for dark, with its quiet zone.
type QR [][]bool

// ShortQR is the code of a short link. The link is spelt in upper case, which
// codes alphanumerically and so in fewer modules; it means the same.
func ShortQR(link string) (QR, error) { return draw(strings.ToUpper(link), qrcode.Medium) }

// LongQR is the code of a link whose case matters.
func LongQR(link string) (QR, error) { return draw(link, qrcode.Low) }

func draw(text string, level qrcode.RecoveryLevel) (QR, error) {
	code, err := qrcode.New(text, level)
	if err != nil {
		return nil, err
	}
	return code.Bitmap(), nil
}

// Picture is the invitation's QR code: of its short link, or of its JWT link
// where form is "jwt"; kind is ".svg", or ".png" of at most size pixels a side.
func (l *Links) Picture(inv Invitation, form, kind string, size int) ([]byte, error) {
	var code QR
	var err error
	switch form {
	case "", "short":
		code, err = ShortQR(l.Short(inv))
	case "jwt":
		var long string
		if long, err = l.URL(inv); err == nil {
			code, err = LongQR(long)
		}
	default:
		err = rooms.Invalid{Field: "form", Detail: `is "short" or "jwt"`}
	}
	if err != nil {
		return nil, err
	}
	if kind == ".svg" {
		return code.SVG(), nil
	}
	return code.PNG(size)
}

// Codes are the QR codes of these invitations' short links as SVG, in that order.
// Drawing one takes about a millisecond: all processors help.
func (l *Links) Codes(invs []Invitation) ([][]byte, error) {
	codes, wrong := make([][]byte, len(invs)), make([]error, len(invs))
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(invs)) {
		all.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(invs); i = next.Add(1) - 1 {
				codes[i], wrong[i] = l.Picture(invs[i], "", ".svg", 0)
			}
		})
	}
	all.Wait()
	return codes, errors.Join(wrong...)
}

// ParseSize reads a picture's side in pixels, 64 to 2048; 512 for nothing said.
func ParseSize(s string) (int, error) {
	if s == "" {
		return 512, nil
	}
	size, err := strconv.Atoi(s)
	if err != nil || size < 64 || size > 2048 {
		return 0, rooms.Invalid{Field: "size", Detail: "is 64 to 2048 pixels"}
	}
	return size, nil
}

// SVG is the code as a picture of any size.
func (q QR) SVG() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`,
		len(q), len(q), len(q), len(q))
	for y, row := range q {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			from := x
			for x+1 < len(row) && row[x+1] {
				x++
			}
			fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from, y, x-from+1, x-from+1)
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes()
}

// PNG is the code as a picture of at most size pixels a side, with whole pixels
// for modules, and never smaller than a pixel a module.
func (q QR) PNG(size int) ([]byte, error) {
	scale := max(1, size/len(q))
	img := image.NewPaletted(image.Rect(0, 0, len(q)*scale, len(q)*scale), color.Palette{color.White, color.Black})
	for y := range img.Rect.Dy() {
		line := img.Pix[y*img.Stride:]
		for x := range img.Rect.Dx() {
			if q[y/scale][x/scale] {
				line[x] = 1
			}
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// Text is the code for a terminal, two modules a line, dark on light.
func (q QR) Text() string {
	var b strings.Builder
	for y := 0; y < len(q); y += 2 {
		b.WriteString("\x1b[30;47m")
		for x := range q[y] {
			up, down := q[y][x], y+1 < len(q) && q[y+1][x]
			switch {
			case up && down:
				b.WriteRune('█')
			case up:
				b.WriteRune('▀')
			case down:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}
