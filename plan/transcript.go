package plan

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// What a log event and a call of PutLogEvents have of a transcript at most, in bytes. The
// first is that of AWS's agent, which puts as many lines into an event as there is room.
// Source: amazon-ssm-agent, agentlogstocloudwatch; CloudWatch Logs API, PutLogEvents.
const (
	transcriptEvent = 200_000
	transcriptBatch = 5 * transcriptEvent
)

// TranscriptEvents are the log events of a transcript, in calls of PutLogEvents: whole
// lines, but of lines that are too long. What is no text is replaced.
func TranscriptEvents(content []byte) (batches [][]string) {
	var batch []string
	room := transcriptBatch
	for len(content) > 0 {
		event := content[:eventLength(content)]
		content = content[len(event):]
		if room < transcriptEvent {
			batches, batch, room = append(batches, batch), nil, transcriptBatch
		}
		if text := strings.ToValidUTF8(string(event), "?"); len(bytes.TrimSpace(event)) > 0 {
			batch, room = append(batch, text), room-transcriptEvent
		}
	}
	if len(batch) > 0 {
		batches = append(batches, batch)
	}
	return batches
}

// eventLength is how much of a transcript's rest the next event has.
func eventLength(rest []byte) int {
	if len(rest) <= transcriptEvent {
		return len(rest)
	}
	if end := bytes.LastIndexByte(rest[:transcriptEvent], '\n'); end >= 0 {
		return end + 1
	}
	end := transcriptEvent // not within a character
	for end > transcriptEvent-utf8.UTFMax && !utf8.RuneStart(rest[end]) {
		end--
	}
	return end
}
