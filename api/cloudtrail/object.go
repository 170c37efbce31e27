package cloudtrail

import (
	"strconv"
	"time"

	"fargo/aws/protocol"
)

// object is JSON that is being written, of which the innermost object is not closed.
type object []byte

func (o object) member(name string) object {
	if o[len(o)-1] != '{' {
		o = append(o, ',')
	}
	return append(protocol.AppendJSONString(o, name), ':')
}

// open begins an object that is a member.
func (o object) open(name string) object { return append(o.member(name), '{') }

// end ends the innermost object.
func (o object) end() object { return append(o, '}') }

func (o object) text(name, value string) object {
	return protocol.AppendJSONString(o.member(name), value)
}

// optional writes a text unless it is empty.
func (o object) optional(name, value string) object {
	if value == "" {
		return o
	}
	return o.text(name, value)
}

func (o object) boolean(name string, value bool) object {
	return strconv.AppendBool(o.member(name), value)
}

func (o object) time(name string, t time.Time) object {
	return append(t.UTC().AppendFormat(append(o.member(name), '"'), time.RFC3339), '"')
}
