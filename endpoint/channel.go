package endpoint

import (
	"net/http"
	"strings"
)

// channelPath is where clients open the data channels of sessions of ECS Exec, as WebSockets.
// Source: the streamUrl that ExecuteCommand answers with.
const channelPath = "/v1/data-channel/"

// opensChannel tells the opening of a data channel from requests for the APIs: an object
// of S3 may have such a path.
func opensChannel(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, channelPath) && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}
