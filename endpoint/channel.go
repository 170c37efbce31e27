package endpoint

import (
	"net/http"
	"strings"

	"fargo/desired"
)

// opensChannel tells the opening of a data channel from requests for the APIs: an object
// of S3 may have such a path.
func opensChannel(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, desired.DataChannelPath) && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}
