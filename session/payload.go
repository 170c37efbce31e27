package session

import "encoding/json"

// acknowledgement is the payload of an acknowledge message.
type acknowledgement struct {
	Type       messageType `json:"AcknowledgedMessageType"`
	ID         string      `json:"AcknowledgedMessageId"`
	Sequence   int64       `json:"AcknowledgedMessageSequenceNumber"`
	Sequential bool        `json:"IsSequentialMessage"`
}

// closing is the payload of a channel_closed message.
type closing struct {
	MessageID     string      `json:"MessageId"`
	CreatedDate   string      `json:"CreatedDate"`
	DestinationID string      `json:"DestinationId"`
	SessionID     string      `json:"SessionId"`
	Type          messageType `json:"MessageType"`
	SchemaVersion int         `json:"SchemaVersion"`
	Output        string      `json:"Output"` // why, for the user
}

// Size is a terminal's, in characters.
type Size struct {
	Columns uint16 `json:"cols"`
	Rows    uint16 `json:"rows"`
}

// The actions of a handshake. The last two are ours: a client of ours adds them to its
// answer, unasked, and an agent that does not know them goes on without.
const (
	actionSessionType   = "SessionType"
	actionKMSEncryption = "KMSEncryption"
	// actionExitCode: the client wants the exit code, as the payload that AWS's agent
	// sends to clients that are not interactive. AWS's plugin would print it.
	actionExitCode = "ExitCode"
	// actionNoTerminal: the client wants the command to have pipes, not a terminal, and
	// says with an empty input when there is no more.
	actionNoTerminal = "NoTerminal"
)

// How an action was processed.
const (
	actionSucceeded   = 1
	actionFailed      = 2
	actionUnsupported = 3
)

// sessionTypeInteractive is the session type of a command with a terminal.
const sessionTypeInteractive = "InteractiveCommands"

// The versions that both ends say they are of: AWS's, whose features these are.
const (
	agentVersion  = "3.3.0.0"
	clientVersion = "1.3.0.0"
)

type handshakeRequest struct {
	AgentVersion string
	Actions      []requestedAction `json:"RequestedClientActions"`
}

type requestedAction struct {
	Type       string          `json:"ActionType"`
	Parameters json.RawMessage `json:"ActionParameters"`
}

type sessionTypeParameters struct {
	SessionType string
	Properties  json.RawMessage // null: a shell's are for other types
}

type encryptionParameters struct {
	KeyID string `json:"KMSKeyId"`
}

type handshakeResponse struct {
	ClientVersion string
	Actions       []processedAction `json:"ProcessedClientActions"`
	Errors        []string
}

type processedAction struct {
	Type   string          `json:"ActionType"`
	Status int             `json:"ActionStatus"`
	Result json.RawMessage `json:"ActionResult"`
	Error  string
}

type encryptionResult struct {
	Ciphertext []byte `json:"KMSCipherTextKey"`
	Hash       []byte `json:"KMSCipherTextHash"` // AWS's plugin leaves it empty
}

// challenge is the payload of both messages of the encryption challenge.
type challenge struct {
	Challenge []byte
}

type handshakeComplete struct {
	Nanoseconds int64  `json:"HandshakeTimeToComplete"`
	Message     string `json:"CustomerMessage"`
}

// mustJSON encodes what can always be encoded.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a type of this file
	}
	return b
}
