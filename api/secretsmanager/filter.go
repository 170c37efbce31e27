package secretsmanager

import (
	"regexp"
	"slices"
	"strings"
)

// separators split a text into words when it has no more than one of them.
const separators = "/-_+=.@"

// capitalized is a capital, or another character that is no small letter, with the small
// letters after it: a word within a word.
var capitalized = regexp.MustCompile(`[^a-z]?[a-z]+|[^a-z]+`)

// words splits a text into its words, in lower case: at blanks, at the separator if it has
// one kind of them, and before capitals.
// Source: moto's tests of ListSecrets, which were run on AWS.
func words(text string) (all []string) {
	for field := range strings.FieldsSeq(text) {
		parts := []string{field}
		if kinds := kindsOf(field); len(kinds) == 1 {
			parts = strings.Split(field, kinds[0])
		} else if len(kinds) > 1 {
			all = append(all, strings.ToLower(field))
			continue
		}
		for _, part := range parts {
			for _, word := range capitalized.FindAllString(part, -1) {
				all = append(all, strings.ToLower(word))
			}
		}
	}
	return all
}

// kindsOf are the separators in a text.
func kindsOf(text string) (kinds []string) {
	for _, c := range separators {
		if strings.ContainsRune(text, c) {
			kinds = append(kinds, string(c))
		}
	}
	return kinds
}

// hasWords reports whether each word of what is wanted begins a word of a text. What has
// no words is not found.
func hasWords(text, wanted string) bool {
	look := words(wanted)
	in := words(text)
	return len(look) > 0 && !slices.ContainsFunc(look, func(w string) bool {
		return !slices.ContainsFunc(in, func(word string) bool { return strings.HasPrefix(word, w) })
	})
}
