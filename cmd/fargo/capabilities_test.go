package main

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fargo/api"
)

// whole are the services of which every operation that does not work is named in
// the table of README.md; of others it names some.
var whole = []string{"ecs", "elbv2"}

// A claim is what a cell of the table names: operations of a service, by a pattern,
// or with field one field of an operation.
type claim struct{ service, operation, field string }

// `ecs:RunTask`, `ecs:*TaskSet*`, `ecs:RunTask.capacityProviderStrategy FARGATE_SPOT`
var claimPattern = regexp.MustCompile("`([a-z0-9-]+):([A-Za-z*]+)(?:\\.([^`]+))?`")

func claimsIn(cell string) (claims []claim) {
	for _, m := range claimPattern.FindAllStringSubmatch(cell, -1) {
		claims = append(claims, claim{m[1], m[2], m[3]})
	}
	return claims
}

// matching are those of names that the claim's pattern matches.
func (c claim) matching(names []string) (matched []string) {
	for _, name := range names {
		if ok, err := path.Match(c.operation, name); err == nil && ok {
			matched = append(matched, name)
		}
	}
	return matched
}

// What README.md says to work works, and what it says not to work yet does not.
func TestCapabilities(t *testing.T) {
	covers := map[string]api.Coverage{}
	for _, c := range api.Covers(services(dependencies{})) {
		covers[c.Service] = c
	}
	named := map[string][]string{} // operations that do not work, by service
	for _, row := range capabilityRows(t) {
		for _, c := range claimsIn(row.works) {
			cover := covers[c.service]
			if c.field != "" || len(c.matching(cover.Works)) == 0 {
				t.Errorf("%s: nothing works that is %v", row.name, c)
			}
			if not := c.matching(cover.NotImplemented); len(not) > 0 {
				t.Errorf("%s: %v does not work: %v", row.name, c, not)
			}
		}
		for _, c := range claimsIn(row.notYet) {
			cover, mounted := covers[c.service]
			missing := c.matching(cover.NotImplemented)
			named[c.service] = append(named[c.service], missing...)
			switch {
			case c.field != "":
				if !slices.ContainsFunc(cover.Gaps, func(g api.Gap) bool {
					return g.Operation == c.operation && slices.Contains(strings.Split(g.Field, ", "), c.field)
				}) {
					t.Errorf("%s: %v is no field without effect", row.name, c)
				}
			case !mounted && c.operation == "*":
			case len(missing) == 0:
				t.Errorf("%s: %v is not what does not work", row.name, c)
			case len(c.matching(cover.Works)) > 0:
				t.Errorf("%s: %v works: %v", row.name, c, c.matching(cover.Works))
			}
		}
	}
	for _, service := range whole {
		for _, operation := range covers[service].NotImplemented {
			if !slices.Contains(named[service], operation) {
				t.Errorf("%s:%s does not work, and README.md does not say so", service, operation)
			}
		}
	}
}

type capabilityRow struct{ name, works, notYet string }

// capabilityRows reads the table between its two marks in README.md.
func capabilityRows(t *testing.T) (rows []capabilityRow) {
	t.Helper()
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "<!-- capabilities:")
	table, _, ended := strings.Cut(table, "<!-- end of capabilities -->")
	if !found || !ended {
		t.Fatal("README.md has no table of capabilities")
	}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) == 3 && !strings.HasPrefix(cells[0], "--") {
			rows = append(rows, capabilityRow{strings.TrimSpace(cells[0]), cells[1], cells[2]})
		}
	}
	for _, row := range rows[min(1, len(rows)):] {
		if len(claimsIn(row.works))+len(claimsIn(row.notYet)) == 0 {
			t.Errorf("%s: nothing is named that can be checked", row.name)
		}
	}
	if len(rows) < 2 {
		t.Fatal("the table of capabilities in README.md has no rows")
	}
	return rows
}
