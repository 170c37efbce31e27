package logs

import (
	"fargo/api/page"
	engine "fargo/logs"
)

// maxDescribed is the largest page of groups or streams, and the default.
// Source: DescribeLogGroups, DescribeLogStreams.
const maxDescribed = 50

// pages are those of groups, streams and searches. Those of one stream's events have
// tokens of a form that clients know: see [engine.Store.Read].
var pages = page.Rules{
	Default:  maxDescribed,
	BadToken: func(string) error { return refused(engine.ErrToken) },
}

// sealed makes the token of the page that the engine has one for, nil for none.
func sealed(q page.Request, next string) *string {
	if next == "" {
		return nil
	}
	return q.Seal(next)
}
