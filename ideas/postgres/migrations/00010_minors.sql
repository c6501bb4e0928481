-- No money to minors: what they have earned is kept for them until they are of age.

-- +goose Up

-- A birth date that is not kept is that of an adult, or was never asked for. The day is the latest that it can be
-- anywhere on earth: time zones are the service's business.
-- +goose StatementBegin
CREATE FUNCTION refuse_minors() RETURNS trigger LANGUAGE plpgsql
SET search_path = ideas, pg_temp
AS $$
DECLARE
    at timestamptz;
BEGIN
    IF TG_TABLE_NAME = 'payout' THEN
        at := coalesce(NEW.paid_at, NEW.approved_at);
    ELSE
        at := NEW.handed_over_at;
    END IF;
    IF EXISTS (SELECT FROM member WHERE id = NEW.member_id
            AND born > (at AT TIME ZONE 'UTC' + interval '14 hours')::date - interval '18 years') THEN
        RAISE EXCEPTION 'member % is a minor, who is paid no money', NEW.member_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER payout_of_age BEFORE INSERT OR UPDATE OF state ON payout
    FOR EACH ROW WHEN (NEW.state IN ('approved', 'paid')) EXECUTE FUNCTION refuse_minors();
CREATE TRIGGER prize_of_age BEFORE INSERT OR UPDATE OF state ON prize_award
    FOR EACH ROW WHEN (NEW.state = 'handed_over' AND NEW.amount > 0) EXECUTE FUNCTION refuse_minors();
