/**
 * Rows of comma-separated columns, line by line, as RFC 4180 has them and a preparation reads them: a quote opens a column only where
 * it begins, doubled it is one, and within quotes commas and line breaks are text.
 */
export class CsvRows {
  #fields: string[] = []
  #field = ''
  #state: 'start' | 'plain' | 'quoted' | 'closed' = 'start'

  /** Whether a quote is open, so that the row goes on in the next line. */
  get isOpen(): boolean {
    return this.#state === 'quoted'
  }

  /** Takes a line with its `\r`, if it has one. Gives the row that it ends, if it does. */
  push(line: string): readonly string[] | undefined {
    if (this.isOpen) this.#field += '\n'
    for (let index = 0; index < line.length; index += 1) this.#take(line.charAt(index), line.charAt(index) === '\r' && index === line.length - 1)
    return this.isOpen ? undefined : this.#end()
  }

  #take(character: string, isBreak: boolean): void {
    if (this.#state === 'quoted') {
      if (character === '"') this.#state = 'closed'
      else this.#field += character
    } else if (character === '"' && this.#state !== 'plain') {
      // After a closed quote a second one is a quote of the text.
      if (this.#state === 'closed') this.#field += character
      this.#state = 'quoted'
    } else if (character === ',') this.#endField()
    else if (!isBreak) {
      this.#field += character
      this.#state = 'plain'
    }
  }

  #endField(): void {
    this.#fields.push(this.#field)
    this.#field = ''
    this.#state = 'start'
  }

  #end(): readonly string[] {
    this.#endField()
    const row = this.#fields
    this.#fields = []
    return row
  }
}
