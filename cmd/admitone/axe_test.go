package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/chromedp/chromedp"
)

const axeFile = "testdata/npm/node_modules/axe-core/axe.min.js"

// Axe fails the test for each element of the page that breaks a rule of WCAG 2.0, 2.1 or 2.2, level A or AA.
// Without axe-core the test is skipped, and under CI=true it fails.
func (b *browserTab) Axe() { b.axe(allRules) }

func (b *browserTab) axe(rules string) {
	b.t.Helper()
	for _, v := range b.axeViolations(rules) {
		b.t.Errorf("%s", v)
	}
}

// What axe-core looks for: all that WCAG asks for, target-size among it, which is off unless asked for; or only what
// another theme could break.
const (
	allRules = `{runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]},
		rules: {"target-size": {enabled: true}}, resultTypes: ["violations"]}`
	themeRules = `{runOnly: {type: "rule", values: ["color-contrast"]}, resultTypes: ["violations"]}`
)

func (b *browserTab) axeViolations(rules string) []string {
	b.t.Helper()
	source, err := os.ReadFile(axeFile)
	if errors.Is(err, fs.ErrNotExist) {
		lacking(b.t, "axe-core is not installed (npm ci in cmd/admitone/testdata/npm)")
	}
	if err != nil {
		b.t.Fatal(err)
	}
	// Evaluated rather than added as a script: the pages' policy lets none in from elsewhere.
	if there, err := eval[bool](b, `"axe" in window`); err != nil || !there {
		b.do("load axe-core", chromedp.Evaluate[chromedp.Void](string(source)))
	}
	type violation struct {
		ID     string `json:"id"`
		Impact string `json:"impact"`
		Help   string `json:"help"`
		Nodes  []struct {
			HTML           string `json:"html"`
			FailureSummary string `json:"failureSummary"`
		} `json:"nodes"`
	}
	violations := ask(b, "run axe-core", chromedp.Evaluate[[]violation]("axe.run(document, "+rules+").then((result) => result.violations)", chromedp.EvalAwaitPromise))
	var found []string
	for _, v := range violations {
		for _, node := range v.Nodes {
			found = append(found, fmt.Sprintf("%s breaks %s (%s): %s\n\t%s\n\t%s", b.URL(), v.ID, v.Impact, v.Help,
				node.HTML, strings.ReplaceAll(node.FailureSummary, "\n", "\n\t")))
		}
	}
	return found
}
