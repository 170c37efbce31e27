package session

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// messageType says what a message is for.
type messageType string

const (
	inputStreamData  messageType = "input_stream_data"  // from the client
	outputStreamData messageType = "output_stream_data" // from the agent
	acknowledge      messageType = "acknowledge"
	channelClosed    messageType = "channel_closed"
	startPublication messageType = "start_publication"
	pausePublication messageType = "pause_publication"
)

// payloadType says what is in the payload of stream data.
type payloadType uint32

const (
	payloadOutput             payloadType = 1 // of either end: what is typed, too
	payloadSize               payloadType = 3
	payloadHandshakeRequest   payloadType = 5
	payloadHandshakeResponse  payloadType = 6
	payloadHandshakeComplete  payloadType = 7
	payloadChallengeRequest   payloadType = 8
	payloadChallengeResponse  payloadType = 9
	payloadFlag               payloadType = 10
	payloadStandardError      payloadType = 11
	payloadExitCode           payloadType = 12
	flagTerminateSession                  = uint32(2) // the payload of payloadFlag
	flagSYN, flagAcknowledges             = uint64(1), uint64(3)
)

// encrypted reports whether a payload of this type is encrypted when the session is.
func (t payloadType) encrypted() bool {
	return t == payloadOutput || t == payloadStandardError || t == payloadExitCode
}

// messageID is a UUID.
type messageID [16]byte

func newMessageID() (id messageID) {
	_, _ = rand.Read(id[:]) // it never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

func (id messageID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// message is one message of the data channel, which its source calls ClientMessage and
// AgentMessage.
type message struct {
	kind     messageType
	created  time.Time // in milliseconds
	sequence int64
	flags    uint64
	id       messageID
	payload  payloadType
	content  []byte
}

// The layout of a message, in bytes from its start; all numbers are big-endian. The
// header's length does not count the length of the payload, which follows it.
const (
	offsetType          = 4
	offsetSchemaVersion = 36
	offsetCreated       = 40
	offsetSequence      = 48
	offsetFlags         = 56
	offsetID            = 64 // its second half is first
	offsetDigest        = 80
	offsetPayloadType   = 112
	offsetPayloadLength = 116
	offsetPayload       = 120

	headerLength  = offsetPayloadLength
	schemaVersion = 1
)

// maxMessage is how long a message may be, in bytes: AWS's are of a kilobyte, our own of
// a few.
const maxMessage = 1 << 17

// encode writes the message.
func (m *message) encode() []byte {
	b := make([]byte, offsetPayload+len(m.content))
	be := binary.BigEndian
	be.PutUint32(b, headerLength)
	copy(b[offsetType:offsetSchemaVersion], "                                ")
	copy(b[offsetType:offsetSchemaVersion], m.kind)
	be.PutUint32(b[offsetSchemaVersion:], schemaVersion)
	be.PutUint64(b[offsetCreated:], uint64(m.created.UnixMilli()))
	be.PutUint64(b[offsetSequence:], uint64(m.sequence))
	be.PutUint64(b[offsetFlags:], m.flags)
	copy(b[offsetID:], m.id[8:])
	copy(b[offsetID+8:], m.id[:8])
	digest := sha256.Sum256(m.content)
	copy(b[offsetDigest:], digest[:])
	be.PutUint32(b[offsetPayloadType:], uint32(m.payload))
	be.PutUint32(b[offsetPayloadLength:], uint32(len(m.content)))
	copy(b[offsetPayload:], m.content)
	return b
}

var (
	errShort    = errors.New("the message is shorter than its header says")
	errLong     = errors.New("the message is too long")
	errHeader   = errors.New("the header's length is not a message's")
	errType     = errors.New("the message has no type")
	errCreated  = errors.New("the message has no date")
	errDigest   = errors.New("the payload does not have the digest")
	errSequence = errors.New("the sequence number is negative")
)

// parseMessage reads a message, which shares the memory of b. What is wrong with it
// decides as AWS's plugin and agent do: those about publication need no more than a
// type, and an empty payload no digest.
func parseMessage(b []byte) (m message, err error) {
	switch {
	case len(b) < offsetPayload:
		return m, errShort
	case len(b) > maxMessage:
		return m, errLong
	}
	be := binary.BigEndian
	m.kind = messageType(bytes.Trim(b[offsetType:offsetSchemaVersion], "\x00 \t\r\n"))
	if m.kind == startPublication || m.kind == pausePublication {
		return m, nil
	}
	start := uint64(be.Uint32(b)) + offsetPayload - headerLength
	length := uint64(be.Uint32(b[offsetPayloadLength:]))
	switch {
	case start < offsetPayload:
		return m, errHeader
	case start+length > uint64(len(b)):
		return m, errShort
	case m.kind == "":
		return m, errType
	case be.Uint64(b[offsetCreated:]) == 0:
		return m, errCreated
	}
	m.created = time.UnixMilli(int64(be.Uint64(b[offsetCreated:])))
	m.sequence = int64(be.Uint64(b[offsetSequence:]))
	m.flags = be.Uint64(b[offsetFlags:])
	copy(m.id[8:], b[offsetID:])
	copy(m.id[:8], b[offsetID+8:])
	m.payload = payloadType(be.Uint32(b[offsetPayloadType:]))
	m.content = b[start : start+length]
	if m.sequence < 0 {
		return m, errSequence
	}
	if length != 0 && sha256.Sum256(m.content) != [sha256.Size]byte(b[offsetDigest:offsetPayloadType]) {
		return m, errDigest
	}
	return m, nil
}
