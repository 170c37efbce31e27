package plan

import "encoding/json"

// jsonText is the JSON of a value of this package's own, which has one: texts, finite numbers,
// and what is JSON already.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
