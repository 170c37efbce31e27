package http1

import (
	"unicode"
	"unicode/utf8"
)

// suspiciousKind tells names that some servers take for one of the two that frame a
// message: those whose letters and digits, in upper case, are the same. Whatever
// else is between, before or after them is passed over, as are bytes that are no
// UTF-8. Source: documentation of AWS's http-desync-guardian, "Suspicious
// headers".
func suspiciousKind(name string) Kind {
	const shortest = len("contentlength")
	if len(name) < shortest {
		return Other
	}
	kind, want := Other, ""
	for i := 0; i < len(name); {
		c, size := name[i], 1
		if c >= utf8.RuneSelf {
			c, size = asciiOf(name[i:])
		}
		i += size
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		default:
			continue
		}
		if kind == Other {
			switch c {
			case 'c':
				kind, want = SuspiciousContentLength, "contentlength"
			case 't':
				kind, want = SuspiciousTransferEncoding, "transferencoding"
			default:
				return Other
			}
		}
		if want == "" || want[0] != c {
			return Other
		}
		want = want[1:]
	}
	if kind == Other || want != "" {
		return Other
	}
	return kind
}

// asciiOf is the ASCII letter that the first character of s has in another case,
// or 0: "ſ" is "S" in upper case, "İ" is "i" in lower.
func asciiOf(s string) (c byte, size int) {
	r, size := utf8.DecodeRuneInString(s)
	for _, other := range [...]rune{unicode.ToUpper(r), unicode.ToLower(r)} {
		if other < utf8.RuneSelf {
			return byte(other), size
		}
	}
	return 0, size
}
