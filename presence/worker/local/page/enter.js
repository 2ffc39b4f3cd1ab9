// Keeps the session that the ticket has opened, and goes on to the page. Storage belongs to this address with its
// port; a cookie would be sent to the other ports of this machine too.
const { content } = document.querySelector("meta[name=presence-session]");
localStorage.setItem("presence-session", content);
location.replace("/");
