package main

import (
	"context"
	"fmt"
	"image"
	"image/draw"
	_ "image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	printing "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/multi/qrcode"
)

// print prints the page as its own style asks, and returns the paper's pages at
// that many dots an inch.
func (b *browserTab) print(dpi int) (pages []image.Image) {
	b.t.Helper()
	gs, err := exec.LookPath("gs")
	if err != nil {
		lacking(b.t, "Ghostscript is not installed (Debian: apt-get install ghostscript)")
	}
	printed := ask(b, "print", func(ctx context.Context, tab *chromedp.Target) (printing.PrintToPDFResult, error) {
		return cdp.Call(ctx, tab, printing.PrintToPDF, printing.PrintToPDFParams{PreferCSSPageSize: new(true)})
	})
	dir := b.t.TempDir()
	pdf := filepath.Join(dir, "sheet.pdf")
	if err := os.WriteFile(pdf, printed.Data, 0o600); err != nil {
		b.t.Fatal(err)
	}
	out, err := exec.CommandContext(b.t.Context(), gs, "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=pnggray", fmt.Sprintf("-r%d", dpi), "-sOutputFile="+filepath.Join(dir, "%03d.png"), pdf).CombinedOutput()
	if err != nil {
		b.t.Fatalf("gs: %v %s", err, out)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			b.t.Fatal(err)
		}
		img, _, err := image.Decode(f)
		if err != nil {
			b.t.Fatal(err)
		}
		_ = f.Close()
		pages = append(pages, img)
		if dir := os.Getenv("ADMITONE_SCREENSHOTS"); dir != "" {
			content, _ := os.ReadFile(name)
			_ = os.WriteFile(filepath.Join(dir, "paper-"+strings.ReplaceAll(b.t.Name(), "/", "-")+"-"+filepath.Base(name)), content, 0o600)
		}
	}
	return pages
}

// scanSlip reads the code of a slip as a telephone does that is held over it.
func scanSlip(t *testing.T, paper image.Image, at image.Rectangle) string {
	t.Helper()
	slip := image.NewGray(image.Rect(0, 0, at.Dx(), at.Dy()))
	draw.Draw(slip, slip.Bounds(), paper, at.Min, draw.Src)
	bitmap, err := gozxing.NewBinaryBitmapFromImage(slip)
	if err != nil {
		t.Fatal(err)
	}
	// Where some of a code looks like one of its corners, this reader tries the other corners too, as a telephone does
	// with its next picture.
	results, err := qrcode.NewQRCodeMultiReader().DecodeMultiple(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil || len(results) != 1 {
		t.Fatalf("no decoder reads the slip at %v: %d codes, %v", at, len(results), err)
	}
	return results[0].GetText()
}

// grid is how a layout puts slips on paper, whose sizes are in inches.
type grid struct {
	layout, paper string
	across, down  int
	wide, high    float64
}

// scanned prints n invitations on whole pages of that grid, and returns what their codes say.
func (g grid) scanned(t *testing.T, host *browserTab, n int) (links []string) {
	t.Helper()
	const dpi = 200
	papers := host.print(dpi)
	per := g.across * g.down
	if want := (n + per - 1) / per; len(papers) != want {
		t.Fatalf("%d pages, want %d", len(papers), want)
	}
	for i := range n {
		paper := papers[i/per]
		box := paper.Bounds()
		if wide, high := float64(box.Dx())/dpi, float64(box.Dy())/dpi; max(wide-g.wide, g.wide-wide, high-g.high, g.high-high) > .03 {
			t.Fatalf("the paper is %.2f by %.2f inches", wide, high)
		}
		margin := 10 * dpi / 25.4
		width, height := (float64(box.Dx())-2*margin)/float64(g.across), (float64(box.Dy())-2*margin)/float64(g.down)
		x, y := margin+float64(i%per%g.across)*width, margin+float64(i%per/g.across)*height
		links = append(links, scanSlip(t, paper, image.Rect(int(x), int(y), int(x+width), int(y+height))))
	}
	return links
}

// What comes out of the printer is the invitations and nothing else, on whole
// pages of the paper chosen, and every code on it admits. For 24 to a page, the
// organiser's journey tells.
func TestBrowserSheetIsPrintedAndScanned(t *testing.T) {
	t.Parallel()
	for n, g := range map[int]grid{
		11: {"8", "a4", 2, 4, 210 / 25.4, 297 / 25.4},
		3:  {"badges", "letter", 2, 4, 8.5, 11},
		2:  {"1", "a4", 1, 1, 210 / 25.4, 297 / 25.4},
	} {
		t.Run(g.layout+"-"+g.paper, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, ladies)
			room := s.createRoom(t, "Abend der offenen Tür · 開放之夜")
			for i := range n {
				name := fmt.Sprintf("Guest %d", i+1)
				if i == 1 {
					name = "Prof. Dr. Maximiliane-Wilhelmine von Habsburg-Lothringen zu Hohenzollern-Sigmaringen 歐陽"
				}
				s.mint(t, room, members{"name": name, "max_uses": 1})
			}
			host := newBrowser(t, browserOptions{Server: s.URL, Timezone: "Europe/Berlin"})
			host.signIn()
			host.Open("/rooms/" + room + "/sheet?all=true&layout=" + g.layout + "&paper=" + g.paper)
			host.WaitVisible("[data-print]")
			host.seen("sheet-" + g.layout)
			for i, link := range g.scanned(t, host, n) {
				if a := s.redeem(t, link, fmt.Sprintf("nonce-of-the-slip-%d", i)); a.Status != http.StatusOK {
					t.Fatalf("slip %d, %s: %v", i, link, a)
				}
			}
			host.Open("/rooms/" + room + "/sheet?all=true")
			if host.Count(".slip") != 0 || host.Count(".empty") != 1 {
				t.Error("used invitations are printed")
			}
		})
	}
}
