/**
 * Copies the text of an element; says whether that worked. The clipboard interface exists only on
 * secure pages, and a hub is often reached by plain HTTP: then the text is selected and copied the
 * old way, and stays selected if that fails too.
 */
export async function copy(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    const selection = window.getSelection();
    const range = document.createRange();
    range.selectNodeContents(element);
    selection?.removeAllRanges();
    selection?.addRange(range);
    // Deprecated and without a successor on pages that are not secure.
    return document.execCommand('copy');
  }
}
