package session

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// receive takes what the agent sends, until it closes the channel: errClosed.
func (c *Client) receive(ctx context.Context) error {
	for {
		m, err := c.next(ctx)
		if err == nil {
			err = c.use(ctx, m)
		}
		if err != nil {
			c.mu.Lock()
			if c.closed != nil {
				c.end.Reason = c.closed.Output
			}
			c.mu.Unlock()
			return err
		}
	}
}

// use acts on a message.
func (c *Client) use(ctx context.Context, m message) (err error) {
	switch m.payload {
	case payloadHandshakeRequest:
		err = c.answer(ctx, m.content)
	case payloadChallengeRequest:
		err = c.answerChallenge(m.content)
	case payloadHandshakeComplete:
		err = c.begin(m.content)
	case payloadOutput:
		c.start() // an agent without a handshake
		err = write(c.c.Output, m.content)
	case payloadStandardError:
		err = write(c.c.ErrorOutput, m.content)
	case payloadExitCode:
		err = c.exited(m.content)
	default:
		c.log.Debug("a payload of an unknown type is dropped", "type", m.payload)
	}
	return err
}

func write(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("writing the command's output: %w", err)
	}
	return nil
}

// answer answers the agent's request of the handshake.
func (c *Client) answer(ctx context.Context, payload []byte) error {
	var request handshakeRequest
	if err := json.Unmarshal(payload, &request); err != nil {
		return fmt.Errorf("reading the agent's handshake: %w", err)
	}
	response := handshakeResponse{ClientVersion: clientVersion, Actions: []processedAction{{Type: actionExitCode, Status: actionSucceeded}}}
	if c.c.NoTerminal {
		response.Actions = append(response.Actions, processedAction{Type: actionNoTerminal, Status: actionSucceeded})
	}
	for _, action := range request.Actions {
		processed := c.process(ctx, action)
		if processed.Error != "" {
			response.Errors = append(response.Errors, processed.Error)
		}
		response.Actions = append(response.Actions, processed)
	}
	c.send(payloadHandshakeResponse, mustJSON(response))
	return nil
}

// process does an action that the agent asks for. The texts are AWS's plugin's.
func (c *Client) process(ctx context.Context, action requestedAction) processedAction {
	processed := processedAction{Type: action.Type, Status: actionSucceeded}
	var err error
	switch action.Type {
	case actionSessionType:
		err = checkSessionType(action.Parameters)
	case actionKMSEncryption:
		processed.Result, err = c.makeDataKey(ctx, action.Parameters)
	default:
		processed.Status, processed.Error = actionUnsupported, "Unsupported action "+action.Type
	}
	if err != nil {
		processed.Status, processed.Error = actionFailed, fmt.Sprintf("Failed to process action %s: %s", action.Type, err)
	}
	return processed
}

func checkSessionType(parameters json.RawMessage) error {
	var p sessionTypeParameters
	if err := json.Unmarshal(parameters, &p); err != nil {
		return err
	}
	switch p.SessionType {
	case sessionTypeInteractive, "Standard_Stream", "NonInteractiveCommands":
		return nil
	}
	return fmt.Errorf("Unknown session type %s", p.SessionType)
}

// makeDataKey has KMS make the data key, and encrypts with it from now on.
func (c *Client) makeDataKey(ctx context.Context, parameters json.RawMessage) (json.RawMessage, error) {
	var p encryptionParameters
	if err := json.Unmarshal(parameters, &p); err != nil {
		return nil, err
	}
	key, err := c.c.DataKey(ctx, p.KeyID, encryptionContext(c.c.SessionID, c.c.TargetID))
	if err != nil {
		return nil, err
	}
	ends, err := clientCipher(key.Plaintext)
	if err != nil {
		return nil, err
	}
	c.encrypt(ends)
	return mustJSON(encryptionResult{Ciphertext: key.Ciphertext}), nil
}

// answerChallenge shows the agent that this end has the data key.
func (c *Client) answerChallenge(payload []byte) error {
	var request challenge
	if err := json.Unmarshal(payload, &request); err != nil {
		return fmt.Errorf("reading the agent's challenge: %w", err)
	}
	if c.cipher == nil {
		return errCiphertext
	}
	opened, err := c.cipher.open(request.Challenge)
	if err != nil {
		return err
	}
	c.send(payloadChallengeResponse, mustJSON(challenge{Challenge: c.cipher.seal(opened)}))
	return nil
}

// begin is the end of the handshake.
func (c *Client) begin(payload []byte) error {
	var complete handshakeComplete
	if err := json.Unmarshal(payload, &complete); err != nil {
		return fmt.Errorf("reading the end of the agent's handshake: %w", err)
	}
	if complete.Message != "" && c.c.Message != nil {
		c.c.Message(complete.Message)
	}
	c.start()
	return nil
}

// start lets input be sent.
func (c *Client) start() {
	select {
	case <-c.begun:
	default:
		close(c.begun)
	}
}

func (c *Client) exited(payload []byte) error {
	code, err := strconv.Atoi(strings.TrimPrefix(string(payload), exitCodePrefix))
	if err != nil {
		return fmt.Errorf("reading the command's exit code: %w", err)
	}
	c.end.ExitCode, c.end.Exited = code, true
	return nil
}
