package main

import "fargo/api"

// coverageCommand prints what is implemented and what is not.
type coverageCommand struct{}

// Run prints the page that is docs/coverage.md.
func (coverageCommand) Run(std *stdio) error {
	return api.WriteCoverage(std.out, services(dependencies{}))
}
