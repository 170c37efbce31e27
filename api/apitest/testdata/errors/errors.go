// Package errors has errors whose texts are to be found.
package errors

import (
	"fmt"

	"fargo/aws/logs"
	"fargo/aws/protocol"
)

const kind = "constant"

var reasons = map[string]string{"a": "One of a table.", "b": "Another of a table."}

var tabled = map[string]protocol.Error{"x": {Message: "In a table of errors."}}

var written = &protocol.Error{Message: "In a literal."}

func invalid(code, format string, args ...any) error { return protocol.Errorf(code, format, args...) }

func refuse(text string) error { return invalid("A", "%s", text) }

func why(n int) string {
	if n > 1 {
		return fmt.Sprintf("Why is %d.", n)
	}
	return ""
}

func all(n int, err error) []error {
	late := "Of a variable."
	if n > 2 {
		late = "Of a variable again."
	}
	list := func() error { return logs.ConflictException("In a function literal.") }
	return []error{
		logs.ValidationException("A %s.", kind), logs.ValidationException("A " + kind + "."), invalid("A", "By a helper."),
		refuse("By a helper of a helper."), refuse(reasons["a"]), refuse(late), refuse(why(n)),
		logs.ConflictException("%v", err), list(), fmt.Errorf("not for users"),
	}
}
