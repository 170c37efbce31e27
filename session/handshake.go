package session

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// handshake is the agent's side of it: request, response, with encryption a challenge and
// its response, complete.
type handshake struct {
	begun     time.Time
	challenge []byte // what was sent encrypted, while its response is waited for
	answered  bool
	terminal  bool          // the client wants one
	isReady   chan struct{} // closed when the client takes output
	wasReady  bool

	done          atomic.Bool
	wantsExitCode atomic.Bool
}

// request is the payload of the first message of a session.
func (h *handshake) request(encryption *Encryption) []byte {
	h.begun = time.Now()
	r := handshakeRequest{AgentVersion: agentVersion, Actions: []requestedAction{{
		Type: actionSessionType, Parameters: mustJSON(sessionTypeParameters{SessionType: sessionTypeInteractive}),
	}}}
	if encryption != nil {
		r.Actions = append(r.Actions, requestedAction{
			Type: actionKMSEncryption, Parameters: mustJSON(encryptionParameters{KeyID: encryption.KeyID}),
		})
	}
	return mustJSON(r)
}

var (
	errEncryptionRefused = errors.New("the client has not made a data key")
	errChallenge         = errors.New("Encryption challenge does not match!") // amazon-ssm-agent's
)

// response takes the client's answer. The result is what it has done for encryption; nil
// when it was not asked to.
func (h *handshake) response(payload []byte, encryption *Encryption) (*encryptionResult, error) {
	var r handshakeResponse
	if err := json.Unmarshal(payload, &r); err != nil {
		return nil, fmt.Errorf("reading the client's handshake: %w", err)
	}
	h.answered, h.terminal = true, true
	var key *encryptionResult
	for _, action := range r.Actions {
		switch {
		case action.Type == actionExitCode:
			h.wantsExitCode.Store(true)
		case action.Type == actionNoTerminal:
			h.terminal = false
		case action.Status != actionSucceeded:
			// The text is amazon-ssm-agent's.
			return nil, fmt.Errorf("%s failed on client with status %d error: %s", action.Type, action.Status, action.Error)
		case action.Type == actionKMSEncryption:
			key = &encryptionResult{}
			if err := json.Unmarshal(action.Result, key); err != nil {
				return nil, fmt.Errorf("reading the client's data key: %w", err)
			}
		}
	}
	if encryption == nil {
		return nil, nil
	}
	if key == nil {
		return nil, errEncryptionRefused
	}
	return key, nil
}

// challenging makes the challenge, encrypted.
func (h *handshake) challenging(c *channelCipher) []byte {
	h.challenge = make([]byte, challengeSize)
	_, _ = rand.Read(h.challenge) // it never fails
	return mustJSON(challenge{Challenge: c.seal(h.challenge)})
}

// challenged checks the client's response to the challenge.
func (h *handshake) challenged(payload []byte, c *channelCipher) error {
	var r challenge
	if err := json.Unmarshal(payload, &r); err != nil {
		return fmt.Errorf("reading the client's response to the challenge: %w", err)
	}
	opened, err := c.open(r.Challenge)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(opened, h.challenge) == 0 {
		return errChallenge
	}
	h.challenge = nil
	return nil
}

// ready says that the client takes output.
func (h *handshake) ready() {
	if !h.wasReady {
		h.wasReady = true
		close(h.isReady)
	}
}

// complete is the payload of the last message of the handshake.
func (h *handshake) complete(message string) []byte {
	return mustJSON(handshakeComplete{Nanoseconds: time.Since(h.begun).Nanoseconds(), Message: message})
}

// answer takes the client's answer to the handshake and goes on with the next step.
func (a *Agent) answer(ctx context.Context, payload []byte) error {
	if a.handshake.answered {
		return nil // by another message of the same
	}
	key, err := a.handshake.response(payload, a.c.Encryption)
	a.acknowledgesAgain(a.handshake.wantsExitCode.Load()) // that is a client of ours
	if err != nil {
		return err
	}
	if key == nil {
		return a.startCommand(ctx)
	}
	dataKey, err := a.c.Encryption.Decrypt(ctx, key.Ciphertext, encryptionContext(a.c.SessionID, a.c.TargetID))
	if err != nil {
		return fmt.Errorf("Fetching data key failed: %w", err) // amazon-ssm-agent's
	}
	c, err := agentCipher(dataKey)
	if err != nil {
		return err
	}
	a.encrypt(c)
	a.send(payloadChallengeRequest, a.handshake.challenging(c))
	return nil
}

// challengeAnswered takes the client's response to the challenge.
func (a *Agent) challengeAnswered(ctx context.Context, payload []byte) error {
	if a.handshake.challenge == nil {
		return nil
	}
	if err := a.handshake.challenged(payload, a.cipher); err != nil {
		return err
	}
	return a.startCommand(ctx)
}
