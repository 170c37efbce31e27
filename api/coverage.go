package api

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Coverage is how much of AWS's service a mounted service implements.
type Coverage struct {
	Service        string   // "ecs"
	Works          []string // operations with a method
	NotImplemented []string // operations that are refused by name
	Gaps           []Gap    // fields of working operations that are stored and not acted on
}

// Covers works out the coverage of each service, in the order of mounting.
func Covers(mounted []Mounted) []Coverage {
	all := make([]Coverage, 0, len(mounted))
	for _, m := range mounted {
		c := Coverage{Service: m.Service.Name, Gaps: slices.Clone(m.Gaps)}
		for _, op := range m.Service.Operations {
			works := false
			if op.Bind != nil {
				_, works = op.Bind(m.Server)
			}
			if works {
				c.Works = append(c.Works, op.Name)
			} else {
				c.NotImplemented = append(c.NotImplemented, op.Name)
			}
		}
		slices.SortStableFunc(c.Gaps, func(a, b Gap) int { return strings.Compare(a.Operation+" "+a.Field, b.Operation+" "+b.Field) })
		all = append(all, c)
	}
	return all
}

// WriteCoverage writes docs/coverage.md: what works, what is kept without effect,
// what is refused.
func WriteCoverage(w io.Writer, mounted []Mounted) error {
	b := bufio.NewWriter(w)
	all := Covers(mounted)
	b.WriteString("# Coverage\n\n" +
		"Written by `fargo coverage`. An operation that is not implemented answers\n" +
		"`NotImplementedException` with its name; a field listed as without effect is stored\n" +
		"and shown as AWS would, and does nothing else.\n\n" +
		"| service | works | fields without effect | not implemented |\n|---|---:|---:|---:|\n")
	for _, c := range all {
		fmt.Fprintf(b, "| [%s](#%s) | %d | %d | %d |\n", c.Service, c.Service, len(c.Works), len(c.Gaps), len(c.NotImplemented))
	}
	for _, c := range all {
		c.write(b)
	}
	return b.Flush()
}

func (c Coverage) write(b *bufio.Writer) {
	fmt.Fprintf(b, "\n## %s\n", c.Service)
	list(b, "Works", c.Works)
	if len(c.Gaps) > 0 {
		b.WriteString("\nFields without effect:\n\n| operation | field | |\n|---|---|---|\n")
		for _, g := range c.Gaps {
			fmt.Fprintf(b, "| %s | `%s` | %s |\n", g.Operation, g.Field, strings.ReplaceAll(g.Why, "|", `\|`))
		}
	}
	list(b, "Not implemented", c.NotImplemented)
}

func list(b *bufio.Writer, title string, names []string) {
	if len(names) > 0 {
		fmt.Fprintf(b, "\n%s: %s.\n", title, strings.Join(names, ", "))
	}
}
