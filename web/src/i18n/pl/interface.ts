export const interfaceWords = {
  ui: {
    skip: 'Przejdź do treści',
    places: 'Miejsca',
    homeLink: 'Kantor, strona główna',
    close: 'Zamknij',
    done: 'Gotowe',
    retry: 'Spróbuj ponownie',
    optional: 'nieobowiązkowe',
    showPassword: 'Pokaż hasło',
    hidePassword: 'Ukryj hasło',
    searchAsset: 'Szukaj po kodzie lub nazwie',
    noAsset: 'Nic nie pasuje do „{q}”.',
    available: 'Dostępne {amount}',
    in: 'Wpływ',
    out: 'Wypływ',
    today: 'Dzisiaj',
    yesterday: 'Wczoraj',
    secondsLeft:
      'Cena pewna jeszcze {n} sekundę | Cena pewna jeszcze {n} sekundy | Cena pewna jeszcze {n} sekund',
    requestId: 'Numer sprawy {id}',
    amountShape: 'Wpisz kwotę, na przykład 12,50, albo działanie, na przykład 3*19,99.',
    amountDigits:
      '{asset} ma najwyżej {n} miejsce po przecinku. | {asset} ma najwyżej {n} miejsca po przecinku. | {asset} ma najwyżej {n} miejsc po przecinku.',
    amountTooLarge: 'To więcej, niż można obsłużyć naraz.',
    simulated: 'Symulacja',
    simulatedLong:
      'Rynek jest tu symulowany: kursy są zmyślone, a prawdziwe pieniądze się nie przemieszczają.',
  },
  places: { home: 'Start', convert: 'Wymień', send: 'Wyślij', history: 'Historia' },
  unavailable: {
    title: 'Kantor nie odpowiada',
    text: 'Twoje pieniądze są tam, gdzie były. Sprawdź połączenie albo spróbuj za chwilę.',
  },
  missing: {
    title: 'Nie ma takiej strony',
    text: 'Adres może zawierać literówkę albo strona została przeniesiona.',
    home: 'Przejdź na start',
  },
  rates: {
    title: 'Kursy',
    none: 'Obecnie nie ma kursów.',
    asOf: 'z {at}',
    footer: '{source}, {at}. Kursy średnie.',
    simulated: 'rynek symulowany',
    all: 'Wszystkie ({n})',
    fewer: 'Mniej',
  },
}
