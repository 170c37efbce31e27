package policy

// match reports whether s is what pattern says: '*' stands for any characters,
// '?' for one.
func match(pattern, s string) bool { return matchGlob(glob(pattern), []rune(s)) }

// anyRun and anyOne are the wildcards of a pattern, as no text contains them.
const (
	anyRun rune = -1
	anyOne rune = -2
)

func glob(pattern string) []rune {
	runes := []rune(pattern)
	for i, r := range runes {
		switch r {
		case '*':
			runes[i] = anyRun
		case '?':
			runes[i] = anyOne
		}
	}
	return runes
}

// matchGlob goes back to the last '*' only, so it takes time in the product of
// the lengths at worst.
func matchGlob(p, s []rune) bool {
	i, j, star, mark := 0, 0, -1, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == anyRun:
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == anyOne || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == anyRun {
		i++
	}
	return i == len(p)
}
