package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// filterList is the shape of EC2's filters. Their names are in no shape, only in the
// prose of the members that have it.
const filterList = "FilterList"

var (
	filterItem  = regexp.MustCompile(`(?s)<li>(.*?)</li>`)
	filterName  = regexp.MustCompile(`<code>([^<]+)</code>`)
	filterAlias = regexp.MustCompile(`You can also use (.*?) as the filter name`)
)

// documentedFilters are the names that the prose of a filter list has, in its order.
// Filters by a tag's key are "tag:".
func documentedFilters(documentation string) []string {
	var names []string
	for _, item := range filterItem.FindAllStringSubmatch(documentation, -1) {
		name := filterName.FindStringSubmatch(item[1])
		if name == nil {
			continue
		}
		name[1] = strings.TrimSpace(name[1])
		if name[1] == "tag" || strings.HasPrefix(name[1], "tag:") {
			name[1] = "tag:"
		}
		names = append(names, name[1])
		if alias := filterAlias.FindStringSubmatch(item[1]); alias != nil {
			for _, a := range filterName.FindAllStringSubmatch(alias[1], -1) {
				names = append(names, a[1])
			}
		}
	}
	return names
}

// filtersOf gives the filters of a member of that shape; nil for other objects.
func filtersOf(o ordered) []string {
	shape, documentation := "", ""
	for _, e := range o {
		switch e.Key {
		case "shape":
			_ = json.Unmarshal(e.Value, &shape)
		case "documentation":
			_ = json.Unmarshal(e.Value, &documentation)
		}
	}
	if shape != filterList {
		return nil
	}
	return documentedFilters(documentation)
}

// filters writes the table of the filters that typed operations have.
func (g *generator) filters(b *bytes.Buffer) {
	var rows strings.Builder
	for _, name := range sortedKeys(g.m.Operations) {
		if in := g.m.Operations[name].Input; g.typed[name] && in != nil {
			for _, m := range g.m.Shapes[in.Shape].members {
				if len(m.Filters) > 0 {
					fmt.Fprintf(&rows, "%q: {%s},\n", name, quoted(m.Filters))
				}
			}
		}
	}
	if rows.Len() > 0 {
		fmt.Fprintf(b, "\n// Filters are the names of filters that the service documents, by operation. \"tag:\" is\n// followed by a tag's key.\nvar Filters = map[string][]string{\n%s}\n", rows.String())
	}
}

func quoted(names []string) string {
	var all []string
	for _, n := range names {
		all = append(all, fmt.Sprintf("%q", n))
	}
	return strings.Join(all, ", ")
}
