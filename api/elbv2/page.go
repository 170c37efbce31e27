package elbv2

import "fargo/api/page"

// pages are those of all lists. Source: ELBv2 API, PageSize; its bounds are in the
// model.
var pages = page.Rules{
	Default:  400,
	BadToken: func(token string) error { return invalid("Invalid marker '%s'", token) },
}
