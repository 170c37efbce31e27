package routing

// glob is a pattern with wildcards, compiled: bytes, anyOne and anyMany.
type glob []int16

const (
	anyOne  int16 = -1 // "?": exactly one character
	anyMany int16 = -2 // "*": none or more
)

// compileGlob reads a pattern. With escapes, a backslash takes the meaning from
// the character after it.
func compileGlob(pattern string, escapes bool) glob {
	g := make(glob, 0, len(pattern))
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && escapes && i+1 < len(pattern):
			i++
			g = append(g, int16(pattern[i]))
		case c == '?':
			g = append(g, anyOne)
		case c == '*':
			if len(g) == 0 || g[len(g)-1] != anyMany {
				g = append(g, anyMany)
			}
		default:
			g = append(g, int16(c))
		}
	}
	return g
}

// match reports whether all of s fits. It needs no more steps than the product
// of both lengths.
func (g glob) match(s string) bool {
	at, star, retry := 0, -1, 0
	for i := 0; i < len(s); {
		switch {
		case at < len(g) && (g[at] == anyOne || g[at] == int16(s[i])):
			at++
			i++
		case at < len(g) && g[at] == anyMany:
			star, retry = at, i
			at++
		case star >= 0:
			retry++
			at, i = star+1, retry
		default:
			return false
		}
	}
	for at < len(g) && g[at] == anyMany {
		at++
	}
	return at == len(g)
}
