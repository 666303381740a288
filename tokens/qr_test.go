package tokens_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"admitone/data/datatest"
	"admitone/rooms"
	"admitone/tokens"
)

// scan reads a picture as a telephone does, with a decoder that shares nothing
// with the encoder; it returns the text and the level of error correction.
func scan(t *testing.T, img image.Image) (text, level string) {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	must(t, err)
	// A picture that is nothing but the code needs no search for its corners.
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatalf("no decoder reads it: %v", err)
	}
	return result.GetText(), fmt.Sprint(result.GetResultMetadata()[gozxing.ResultMetadataType_ERROR_CORRECTION_LEVEL])
}

// canvas is a grey picture on which a test paints modules.
type canvas struct{ *image.Gray }

func newCanvas(w, h int) canvas {
	c := canvas{image.NewGray(image.Rect(0, 0, w, h))}
	draw.Draw(c, c.Bounds(), image.NewUniform(color.Gray{128}), image.Point{}, draw.Src)
	return c
}

func (c canvas) fill(x, y, w, h int, dark bool) {
	ink := color.White
	if dark {
		ink = color.Black
	}
	draw.Draw(c, image.Rect(x, y, x+w, y+h), image.NewUniform(ink), image.Point{}, draw.Src)
}

// larger is the picture with every pixel as a square of n.
func larger(img image.Image, n int) image.Image {
	b := img.Bounds()
	out := newCanvas(b.Dx()*n, b.Dy()*n)
	for y := range b.Dy() {
		for x := range b.Dx() {
			draw.Draw(out, image.Rect(x*n, y*n, x*n+n, y*n+n), image.NewUniform(img.At(b.Min.X+x, b.Min.Y+y)), image.Point{}, draw.Src)
		}
	}
	return out
}

var (
	svgBox  = regexp.MustCompile(`^0 0 (\d+) (\d+)$`)
	svgPath = regexp.MustCompile(`^M(\d+) (\d+)h(\d+)v(\d+)(?:h-(\d+)z|H(\d+)z)`)
)

// rasterize paints the SVG, of which it understands paths of rectangles only.
func rasterize(t *testing.T, svg []byte) image.Image {
	t.Helper()
	var doc struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		ViewBox string   `xml:"viewBox,attr"`
		Path    []struct {
			Fill string `xml:"fill,attr"`
			D    string `xml:"d,attr"`
		} `xml:"path"`
	}
	must(t, xml.Unmarshal(svg, &doc))
	box := svgBox.FindStringSubmatch(doc.ViewBox)
	if box == nil || box[1] != box[2] || len(doc.Path) != 2 {
		t.Fatalf("viewBox %q with %d paths", doc.ViewBox, len(doc.Path))
	}
	num := func(s string) int {
		n, err := strconv.Atoi(s)
		must(t, err)
		return n
	}
	c := newCanvas(num(box[1]), num(box[1]))
	for _, path := range doc.Path {
		for d := path.D; d != ""; {
			m := svgPath.FindStringSubmatch(d)
			if m == nil {
				t.Fatalf("a path goes on with %.40q", d)
			}
			if m[5] != "" && m[5] != m[3] {
				t.Fatalf("%q is no rectangle", m[0])
			}
			c.fill(num(m[1]), num(m[2]), num(m[3]), num(m[4]), path.Fill != "#fff")
			d = d[len(m[0]):]
		}
	}
	return c
}

// screen paints what a terminal shows: black on white, two modules a letter.
func screen(t *testing.T, text string) image.Image {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	var c canvas
	for y, line := range lines {
		inner, before := strings.CutPrefix(line, "\x1b[30;47m")
		inner, after := strings.CutSuffix(inner, "\x1b[0m")
		if !before || !after {
			t.Fatalf("line %d does not set its colours: %q", y, line)
		}
		cells := []rune(inner)
		if y == 0 {
			c = newCanvas(len(cells), 2*len(lines))
		}
		for x, r := range cells {
			at := strings.IndexRune(" ▀▄█", r)
			if at < 0 {
				t.Fatalf("%q is no part of a code", r)
			}
			c.fill(x, 2*y, 1, 1, r == '▀' || r == '█')
			c.fill(x, 2*y+1, 1, 1, r == '▄' || r == '█')
		}
	}
	return c
}

func TestQRCodesAreReadByAnIndependentDecoder(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	short := mint(t, b, makeRoom(t, b, rooms.Draft{Slug: "standup"}), tokens.Draft{})
	long := mint(t, b, makeRoom(t, b, rooms.Draft{Slug: strings.Repeat("long-slug", 7)}), tokens.Draft{Role: tokens.Host, NotBefore: b.Clock.Millis() + 60_000})
	links := b.Invitations.Links
	for _, tt := range []struct {
		name, form string
		inv        tokens.Invitation
	}{
		{"short link", "", short}, {"short link, said", "short", short}, {"JWT link", "jwt", short}, {"JWT link of a long room", "jwt", long},
	} {
		want, level := strings.ToUpper(links.Short(tt.inv)), "M"
		if tt.form == "jwt" {
			url, err := links.URL(tt.inv)
			must(t, err)
			want, level = url, "L"
		}
		draw := tokens.ShortQR
		if tt.form == "jwt" {
			draw = tokens.LongQR
		}
		code, err := draw(want)
		must(t, err)
		check := func(t *testing.T, img image.Image) {
			t.Helper()
			if text, got := scan(t, img); text != want || got != level {
				t.Errorf("it says %q at level %s, want %q at %s", text, got, want, level)
			}
		}
		for _, size := range []int{64, 100, 256, 512, 777, 2048} {
			t.Run(fmt.Sprintf("%s, PNG of %d", tt.name, size), func(t *testing.T) {
				t.Parallel()
				file, err := links.Picture(tt.inv, tt.form, ".png", size)
				must(t, err)
				img, err := png.Decode(bytes.NewReader(file))
				must(t, err)
				// As large as whole pixels for modules allow, and never less than a pixel.
				side, modules := img.Bounds().Dx(), len(code)
				if side != img.Bounds().Dy() || side > size && side != modules || side+modules <= size {
					t.Errorf("%v with %d modules a side, for a size of %d", img.Bounds(), modules, size)
				}
				check(t, img)
			})
		}
		t.Run(tt.name+", SVG", func(t *testing.T) {
			t.Parallel()
			file, err := links.Picture(tt.inv, tt.form, ".svg", 512)
			must(t, err)
			check(t, larger(rasterize(t, file), 4))
			if bytes.Contains(file, []byte("script")) || bytes.Contains(file, []byte("href")) {
				t.Error("it holds more than a drawing")
			}
		})
		t.Run(tt.name+", in a terminal", func(t *testing.T) {
			t.Parallel()
			check(t, larger(screen(t, code.Text()), 4))
		})
	}
	if _, err := links.Picture(short, "other", ".png", 512); err == nil {
		t.Error("a form that is none gives a picture")
	}
}

// The decoder must be able to see a fault: one damaged past repair is not read,
// and one bent a little is, thanks to level M.
func TestTheDecoderSeesFaults(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	link := b.Invitations.Links.Base + "/i/" + b.Invitations.Links.Code(b.IDs.Next(b.Clock.Millis()))
	code, err := tokens.ShortQR(link)
	must(t, err)
	damage := func(side int) (string, error) {
		img, err := code.PNG(8 * len(code))
		must(t, err)
		p, err := png.Decode(bytes.NewReader(img))
		must(t, err)
		c := newCanvas(p.Bounds().Dx(), p.Bounds().Dy())
		draw.Draw(c, c.Bounds(), p, image.Point{}, draw.Src)
		mid := c.Bounds().Dx()/2 - side*4
		c.fill(mid, mid, side*8, side*8, true)
		bitmap, err := gozxing.NewBinaryBitmapFromImage(c)
		must(t, err)
		got, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
		if err != nil {
			return "", err
		}
		return got.GetText(), nil
	}
	if got, err := damage(5); err != nil || got != strings.ToUpper(link) {
		t.Errorf("with a stain of five modules: %q, %v", got, err)
	}
	if got, err := damage(16); err == nil {
		t.Errorf("with half of it gone it still says %q", got)
	}
}

func TestShortQRIsAtMostVersion5(t *testing.T) {
	t.Parallel()
	b := datatest.SQLite(t)
	links := &tokens.Links{Ring: b.Ring, Base: "https://meets.university.example"}
	for range 50 {
		code, err := tokens.ShortQR(links.Short(tokens.Invitation{ID: b.IDs.Next(b.Clock.Millis())}))
		must(t, err)
		// 17 modules and four more a version, in a quiet zone of four all around (ISO/IEC 18004).
		version := (len(code) - 8 - 17) / 4
		if version < 1 || version > 5 || len(code) != 8+17+4*version {
			t.Fatalf("%d modules a side: version %d", len(code), version)
		}
		for i := range len(code) {
			for z := range 4 {
				if code[z][i] || code[i][z] || code[len(code)-1-z][i] || code[i][len(code)-1-z] {
					t.Fatalf("the quiet zone is not quiet at %d", i)
				}
			}
		}
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 512, "64": 64, "512": 512, "2048": 2048,
		"63": 0, "2049": 0, "0": 0, "-64": 0, "1e3": 0, "big": 0, "64px": 0, " 64": 0, "99999999999999999999": 0} {
		got, err := tokens.ParseSize(text)
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
}
