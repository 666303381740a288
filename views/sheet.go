package views

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/a-h/templ"
)

// grid is how a page of a sheet is divided.
type grid struct{ across, down int }

var grids = map[string]grid{"1": {1, 1}, "8": {2, 4}, "24": {3, 8}, "badges": {2, 4}}

// The measures of paper, in millimetres; sheet.css has the same.
var papers = map[string]struct{ width, height float64 }{"a4": {210, 297}, "letter": {215.9, 279.4}}

const paperMargin = 10

// cutMarks are where a page is cut: strokes in its margin, and crosses within. One that is not cut has none.
func cutMarks(layout, paper string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		g, p := grids[layout], papers[paper]
		if g.across*g.down == 1 {
			return nil
		}
		var d strings.Builder
		for i := range g.across + 1 {
			x := paperMargin + float64(i)*(p.width-2*paperMargin)/float64(g.across)
			fmt.Fprintf(&d, "M%.2f 3v5M%.2f %.2fv-5", x, x, p.height-3)
			for j := range g.down + 1 {
				y := paperMargin + float64(j)*(p.height-2*paperMargin)/float64(g.down)
				if i == 0 {
					fmt.Fprintf(&d, "M3 %.2fh5M%.2f %.2fh-5", y, p.width-3, y)
				}
				if inner := i > 0 && i < g.across && j > 0 && j < g.down; inner {
					fmt.Fprintf(&d, "M%.2f %.2fh3M%.2f %.2fv3", x-1.5, y, x, y-1.5)
				}
			}
		}
		_, err := fmt.Fprintf(w, `<svg class="marks" viewBox="0 0 %g %g" aria-hidden="true"><path d="%s"/></svg>`, p.width, p.height, d.String())
		return err
	})
}
