// Name and password, where the dashboard is served to more than this machine.
import { useState } from "preact/hooks";
import type { LoginQuestion, SessionAnswer } from "../../../src/model/dashboard-api.ts";
import { type ApiFault, post, session } from "../api/client.ts";
import { connect } from "../api/events.ts";

export function Login() {
  const [fault, setFault] = useState<ApiFault | null>(null);
  const [isAsking, setAsking] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const question: LoginQuestion = {
      user: String(fields.get("user")),
      password: String(fields.get("password")),
    };
    setAsking(true);
    try {
      session.value = await post<SessionAnswer>("/session", question);
      connect();
    } catch (error) {
      setFault(error as ApiFault);
    } finally {
      setAsking(false);
    }
  };
  return (
    <main class="login">
      <form onSubmit={submit}>
        <h1>Sallyport</h1>
        <label>
          Name
          <input name="user" autoComplete="username" required />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        {fault !== null && (
          <p class="notice bad" role="alert">
            {fault.message} {fault.help}
          </p>
        )}
        <button type="submit" class="primary" disabled={isAsking}>
          Log in
        </button>
      </form>
    </main>
  );
}
