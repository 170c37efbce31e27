package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"fargo/api"
	"fargo/aws/protocol"
)

// service is one AWS service that we answer for.
type service struct {
	api *protocol.Service
	// server has a method for every operation that is implemented.
	server any
	// gaps are the fields that are stored and shown but not acted on.
	gaps []api.Gap
}

// coverageCommand prints what is implemented and what is not.
type coverageCommand struct{}

// Run prints the page that is docs/coverage.md.
func (coverageCommand) Run(std *stdio) error { return printCoverage(std.out, services(rooms{})) }

func printCoverage(w io.Writer, all []service) error {
	var b strings.Builder
	b.WriteString(`# Coverage

This page is printed by ` + "`fargo coverage`" + `. An operation that is not listed as
implemented answers that it is not, by name and in the service's own protocol. A
field that is accepted is acted on, unless the second table of its service says
otherwise.

| service | implemented | of |
|---|---|---|
`)
	for _, s := range all {
		fmt.Fprintf(&b, "| [%s](#%s) | %d | %d |\n", s.api.ID, anchor(s.api.ID), len(implemented(s)), len(s.api.Operations))
	}
	for _, s := range all {
		fmt.Fprintf(&b, "\n## %s\n\n", s.api.ID)
		b.WriteString(wrap(strings.Join(implemented(s), ", ")) + "\n")
		if len(s.gaps) > 0 {
			b.WriteString("\n| operation | stored, but not acted on | |\n|---|---|---|\n")
		}
		for _, g := range s.gaps {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", g.Operation, g.Field, g.Why)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// implemented names the operations that the server has a method for.
func implemented(s service) []string {
	var names []string
	for _, op := range s.api.Operations {
		if op.Bind == nil {
			continue
		}
		if _, ok := op.Bind(s.server); ok {
			names = append(names, op.Name)
		}
	}
	slices.Sort(names)
	return names
}

// anchor is what a heading is linked by.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.ToLower(heading), " ", "-")
}

// wrap breaks text into lines of at most 80 bytes.
func wrap(text string) string {
	const width = 80
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
