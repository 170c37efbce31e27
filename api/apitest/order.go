package apitest

import (
	"regexp"
	"slices"
	"strings"
)

// uuidMember is the line that begins a member of a map whose keys are random.
var uuidMember = regexp.MustCompile(`^( *)"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}": `)

// orderByValue orders the members of maps whose keys are UUIDs by their values. JSON
// has them in the order of the keys, which differs from run to run. text is what
// [json.MarshalIndent] writes.
func orderByValue(text string) string {
	lines := strings.Split(text, "\n")
	for at := 0; at < len(lines); at++ {
		if m := uuidMember.FindStringSubmatch(lines[at]); m != nil {
			at += orderMembers(lines[at:], m[1])
		}
	}
	return strings.Join(lines, "\n")
}

// orderMembers orders the members that lines begin with, up to the end of their map, and
// gives how many lines they have. indent is what stands before each member.
func orderMembers(lines []string, indent string) int {
	var members [][]string
	n := 0
	for ; strings.HasPrefix(lines[n], indent); n++ {
		if uuidMember.MatchString(lines[n]) && len(indent) == strings.IndexByte(lines[n], '"') {
			members = append(members, nil)
		}
		last := len(members) - 1
		members[last] = append(members[last], lines[n])
	}
	for _, m := range members {
		m[len(m)-1] = strings.TrimSuffix(m[len(m)-1], ",")
	}
	slices.SortStableFunc(members, func(a, b []string) int { return strings.Compare(memberValue(a), memberValue(b)) })
	for i, m := range members[:len(members)-1] {
		members[i][len(m)-1] += ","
	}
	copy(lines, slices.Concat(members...))
	return n
}

// memberValue is what a member has after its key.
func memberValue(member []string) string {
	_, first, _ := strings.Cut(member[0], ": ")
	return first + strings.Join(member[1:], "\n")
}
