package session

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
)

// receive takes what the client sends, until ctx ends or the session must.
func (a *Agent) receive(ctx context.Context) {
	for {
		m, err := a.next(ctx)
		if err == nil {
			err = a.use(ctx, m)
		}
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return
		case errors.Is(err, errClosed):
			a.End("")
			return
		default:
			a.log.Warn("the session ends", "error", err)
			a.End(err.Error())
			return
		}
	}
}

// use acts on a message. What comes before the handshake is done is ignored.
func (a *Agent) use(ctx context.Context, m message) error {
	switch m.payload {
	case payloadHandshakeResponse:
		return a.answer(ctx, m.content)
	case payloadChallengeResponse:
		return a.challengeAnswered(ctx, m.content)
	}
	if !a.handshake.done.Load() {
		return nil
	}
	a.handshake.ready()
	switch m.payload {
	case payloadOutput:
		a.input(m.content)
	case payloadSize:
		a.resize(m.content)
	case payloadFlag:
		if len(m.content) == 4 && binary.BigEndian.Uint32(m.content) == flagTerminateSession {
			a.End("")
		}
	default:
		a.log.Debug("a payload of an unknown type is dropped", "type", m.payload)
	}
	return nil
}

// input gives the command what was typed. A command that does not want it has ended, or
// has closed its input: its end is told by Exit.
func (a *Agent) input(b []byte) {
	command := a.command
	if len(b) == 0 && !a.handshake.terminal {
		if err := command.Input.Close(); err != nil {
			a.log.Debug("closing the command's input", "error", err)
		}
	} else if _, err := command.Input.Write(b); err != nil {
		a.log.Debug("writing the command's input", "error", err)
	}
}

func (a *Agent) resize(payload []byte) {
	var size Size
	if err := json.Unmarshal(payload, &size); err != nil || a.command.Resize == nil {
		return
	}
	if err := a.command.Resize(size); err != nil {
		a.log.Debug("setting the terminal's size", "error", err)
	}
}
