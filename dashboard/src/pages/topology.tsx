export default function Page() {
  return <p>topology</p>;
}
