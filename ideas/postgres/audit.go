package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// audit records what somebody of the team, or the service (actor 0), did. detail holds no personal data beyond ids.
func audit(ctx context.Context, tx pgx.Tx, actor int64, action, subject string, subjectID int64, detail map[string]any) error {
	if detail == nil {
		detail = map[string]any{}
	}
	raw, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("encode the audit's detail: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO audit (actor_id, action, subject, subject_id, detail)
		VALUES (nullif($1, 0), $2, $3, nullif($4, 0), $5)`, actor, action, subject, subjectID, raw)
	if err != nil {
		return fmt.Errorf("record %s: %w", action, err)
	}
	return nil
}
