package ecs

import "fargo/api/page"

// maxPage is how many results a List call gives at most, and at once when not told
// otherwise. Source: ECS API, the List operations.
const maxPage = 100

// pages are those of most lists.
var pages = page.Rules{
	Default: maxPage, Most: maxPage,
	BadLimit: func(most int) error { return invalid("maxResults should be between 1 and %d.", most) },
	BadToken: func(string) error { return invalid("Invalid token") },
}

// settingPages are those of ListAccountSettings. Source: ECS API.
var settingPages = page.Rules{Default: 10, Most: 10, BadLimit: pages.BadLimit, BadToken: pages.BadToken}
